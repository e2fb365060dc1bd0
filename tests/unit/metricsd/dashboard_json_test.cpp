// SPDX-License-Identifier: MIT
#include "metricsd/dashboard_json.h"

#include "tests/unit/metricsd/history_support.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace auralis::dashboard_json_test {

using namespace test;
using Json = nlohmann::json;

namespace {

struct JsonFixture : HistoryFixture {
  TempDir empty;
  StationLinks links{empty.path()};
  Conditions conditions;
  EventLog events{links};
  std::array<DaemonState, 3> daemons{};
  std::string run = "this run";

  Json json(std::uint64_t first = 1) const {
    return Json::parse(
        dashboard_json({run, history, conditions, events, daemons, {8'000, true}, 100 * kNsPerMs}, first));
  }
  static const Json& only_series(const Json& data) {
    REQUIRE(data.at("series").size() == 1);
    return data.at("series")[0];
  }
};

}  // namespace

TEST_CASE_FIXTURE(JsonFixture,
                  "dashboard_json: a histogram's point holds the buckets that rose, with their index") {
  const char* name = "audio_synthesis_latency_ms";
  add({histogram_of(name, {0.5, 50, 100}, {0, 1, 0, 0})});
  add({histogram_of(name, {0.5, 50, 100}, {0, 2, 0, 3})});
  add({});
  add({histogram_of(name, {0.5, 50, 100}, {0, 2, 0, 3})});
  const Json data = json();
  CHECK(only_series(data).at("type") == "histogram");
  CHECK(only_series(data).at("bounds") == Json{0.5, 50, 100});
  CHECK(only_series(data).at("values") == Json::array({nullptr, Json{1, 1, 3, 3}, nullptr, Json::array()}));
}

TEST_CASE_FIXTURE(JsonFixture,
                  "dashboard_json: numbers have the digits that they need, and absent ones are null") {
  const char* name = "ring_buffer_depth_ms";
  add({gauge_of(name, 0.1, {{"station", "day"}})});
  add({});
  add({gauge_of(name, -750, {{"station", "day"}})});
  const std::string text =
      dashboard_json({run, history, conditions, events, daemons, {8'000, false}, 100 * kNsPerMs}, 1);
  CHECK(text.find("\"values\":[0.1,null,-750]") != std::string::npos);
  CHECK(only_series(json(3)).at("values") == Json{-750});
  CHECK(only_series(json()).at("labels") == Json{{"station", "day"}});
}

TEST_CASE_FIXTURE(JsonFixture, "dashboard_json: events are those of the points asked for") {
  add({});
  events.note(history, conditions, {{Daemon::kSynthd, DaemonChange::kHang, "synthd hangs"}}, {});
  add({});
  events.note(history, conditions, {{Daemon::kSynthd, DaemonChange::kDown, "synthd has ended"}}, {});
  REQUIRE(json().at("events").size() == 2);
  CHECK(json().at("events")[0].at("kind") == "hang");
  REQUIRE(json(2).at("events").size() == 1);
  CHECK(json(2).at("events")[0].at("kind") == "down");
  CHECK(json(2).at("events")[0].at("message") == "synthd has ended");
  CHECK(json(3).at("events").empty());
}

TEST_CASE_FIXTURE(JsonFixture, "dashboard_json: text that is not UTF-8 does not spoil the answer") {
  add({gauge_of("ring_buffer_depth_ms", 1, {{"station", "\xff\"<"}})});
  CHECK(only_series(json()).at("labels").at("station") == "\xef\xbf\xbd\"<");
}

TEST_CASE_FIXTURE(JsonFixture, "dashboard_json: says where the player is, and how the daemons are") {
  daemons[0] = {false, 5 * kNsPerSecond, "synthd has ended"};
  const Json data = json();
  CHECK(data.at("player") == Json{{"port", 8'000}, {"tls", true}});
  CHECK(data.at("daemons")[0] ==
        Json{{"name", "synthd"}, {"up", false}, {"since_ms", 5'000}, {"message", "synthd has ended"}});
}

}  // namespace auralis::dashboard_json_test
