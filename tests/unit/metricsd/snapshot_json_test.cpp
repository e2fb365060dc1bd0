// SPDX-License-Identifier: MIT
// That a snapshot says the same in JSON as at /metrics is tested in exposition_test.cpp.
#include "metricsd/snapshot_json.h"

#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace auralis::snapshot_json_test {
namespace {

TEST_CASE("snapshot_json: bytes that are no UTF-8 do not break it") {
  MetricSample sample;
  sample.spec = {"name", "caf\xe9", MetricType::kGauge, {{"label", "\xff\xfe"}}, {}};
  Snapshot snapshot;
  snapshot.families = families_of({sample});
  CHECK(nlohmann::json::parse(snapshot_json(snapshot, 1)).at("metrics").size() == 1);
}

TEST_CASE(
    "event_json: has the number, the time in Unix seconds, the process, what happened, and the message") {
  const DaemonEvent event{Daemon::kSynthd, false, "synthd is \"down\""};
  const auto json = nlohmann::json::parse(event_json(event, 1'500'000'000, 7));
  CHECK(json == nlohmann::json{{"seq", 7},
                               {"time", 1.5},
                               {"process", "synthd"},
                               {"event", "down"},
                               {"message", "synthd is \"down\""}});
}

}  // namespace
}  // namespace auralis::snapshot_json_test
