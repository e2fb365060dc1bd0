// SPDX-License-Identifier: MIT
// That a snapshot says the same in JSON as at /metrics is tested in exposition_test.cpp.
#include "metricsd/snapshot_json.h"

#include <fstream>

#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace auralis::snapshot_json_test {
namespace {

using namespace nlohmann::literals;

const Run kRun{"00000000000000ff", "2026-11-30T02:00:00.000Z"};
const nlohmann::json kRunJson{{"id", "00000000000000ff"}, {"start", "2026-11-30T02:00:00.000Z"}};

TEST_CASE("snapshot_json: bytes that are no UTF-8 do not break it") {
  MetricSample sample;
  sample.spec = {"name", "caf\xe9", MetricType::kGauge, {{"label", "\xff\xfe"}}, {}};
  Snapshot snapshot;
  snapshot.families = families_of({sample});
  CHECK(nlohmann::json::parse(snapshot_json(snapshot, kRun, 1)).at("metrics").size() == 1);
}

TEST_CASE("snapshot_json: says of which run and schema it is") {
  const auto json = nlohmann::json::parse(snapshot_json({}, kRun, 7));
  CHECK(
      json ==
      nlohmann::json{
          {"schema", 1}, {"run", kRunJson}, {"seq", 7}, {"time", 0.0}, {"metrics", nlohmann::json::array()}});
}

TEST_CASE("event_json and history_json: the same members for an event") {
  LoggedEvent event;
  event.id = 3;
  event.seq = 9;
  event.begin_unix_ns = 1'500'000'000;
  event.end_unix_ns = 4'500'000'000;
  event.kind = EventKind::kHole;
  event.process = Daemon::kStreamd;
  event.subject = "day";
  event.count = 21;
  event.rise = 10;
  event.message = "a \"sentence\"";
  const nlohmann::json expected{{"schema", 1},
                                {"run", kRunJson},
                                {"seq", 9},
                                {"id", 3},
                                {"time", 4.5},
                                {"begin", 1.5},
                                {"process", "streamd"},
                                {"event", "hole"},
                                {"subject", "day"},
                                {"count", 10},
                                {"total", 21},
                                {"message", "a \"sentence\""}};
  CHECK(nlohmann::json::parse(event_json(event, kRun)) == expected);
  const auto history = nlohmann::json::parse(history_json({event}, kRun, 5 * kNsPerSecond));
  CHECK(history ==
        nlohmann::json{
            {"schema", 1}, {"run", kRunJson}, {"time", 5.0}, {"events", nlohmann::json::array({expected})}});
}

TEST_CASE("event_json: the schema names each kind of event") {
  std::ifstream file(AURALIS_SOURCE_DIR "/docs/schemas/metricsd-messages.json");
  const auto schema = nlohmann::json::parse(file);
  CHECK(schema.at("/$defs/event/properties/event/enum"_json_pointer) == nlohmann::json(kEventKinds));
}

}  // namespace
}  // namespace auralis::snapshot_json_test
