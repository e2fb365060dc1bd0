// SPDX-License-Identifier: MIT
#include "tools/top/view_json.h"

#include "tests/unit/metricsd/history_support.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace auralis::view_json_test {

using namespace test;

TEST_CASE("a view is an object, without what is absent, and with all metrics") {
  View view;
  view.unix_ns = 1'700'000'000 * kNsPerSecond;
  view.window_s = 1;
  view.health = Health::kDegraded;
  view.daemons = {{Daemon::kSynthd, DaemonStatus::kUp, {}, 0.5, {}, 77.0},
                  {Daemon::kStreamd, DaemonStatus::kDown, "streamd is not running", {}, {}, {}}};
  view.listeners = 12;
  view.listeners_by_format = {{"pcm", 12}};
  view.latencies = {{"synthesis", 1.0, 2.0, 3.0}, {"delivery", {}, {}, {}}};
  view.drops = {{"backlog", 2.5}};
  view.stations = {{"day", 799.0, {}, 5.0, 0.5, {}, 1}};
  view.overruns = 3;
  view.conditions[6] = {AlertState::kPending, 0, "day", 150.0};
  Snapshot snapshot;
  snapshot.families = families_of({gauge_of("auralis_up", 1, {{"process", "synthd"}})});

  const auto json = nlohmann::json::parse(view_json(view, snapshot));
  CHECK(json["time"] == 1'700'000'000);
  CHECK(json["health"] == "degraded");
  CHECK(json["daemons"][0] ==
        nlohmann::json{{"name", "synthd"}, {"status", "up"}, {"heartbeat_age_s", 0.5}, {"memory_mb", 77}});
  CHECK(json["daemons"][1]["problem"] == "streamd is not running");
  CHECK(json["listeners"] == 12);
  CHECK(json["listeners_by_format"] == nlohmann::json{{"pcm", 12}});
  CHECK_FALSE(json.contains("realtime_factor"));
  CHECK_FALSE(json.contains("success_percent"));
  CHECK(json["stations"][0] ==
        nlohmann::json{{"name", "day"}, {"depth_ms", 799}, {"chunks", 5}, {"peak", 0.5}, {"underruns", 1}});
  CHECK(json["latency_ms"] == nlohmann::json{{"synthesis", {{"p50", 1}, {"p95", 2}, {"p99", 3}}},
                                             {"delivery", nlohmann::json::object()}});
  CHECK(json["drops_per_s"] == nlohmann::json{{"backlog", 2.5}});
  CHECK(json["overruns"] == 3);
  CHECK(json["conditions"].size() == kAlertRules.size());
  CHECK(json["conditions"][6]["state"] == "pending");
  CHECK(json["conditions"][6]["measured"] == 150);
  CHECK(json["metrics"][0]["labels"]["process"] == "synthd");
}

}  // namespace auralis::view_json_test
