// SPDX-License-Identifier: MIT
#include "metricsd/dashboard.h"

#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace auralis::dashboard_test {

using namespace test;
using Json = nlohmann::json;

namespace {

struct DashboardFixture : SnapshotFixture {
  Dashboard dashboard{config, clock, "this run"};
  FakeStreamd streamd{config, Daemon::kStreamd, clock};

  // A second; returns what a page appends.
  Json step() {
    clock.now += kNsPerSecond;
    streamd.beat(clock);
    const auto events = source.sample();
    return Json::parse(dashboard.add(source.take(), events));
  }
  static const Json* series(const Json& data, const std::string& name) {
    for (const auto& one : data.at("series")) {
      if (one.at("name") == name) return &one;
    }
    return nullptr;
  }
};

}  // namespace

TEST_CASE_FIXTURE(DashboardFixture, "Dashboard: without a second there is nothing yet, but an answer") {
  const Json data = Json::parse(dashboard.whole());
  CHECK(data.at("times_ms").empty());
  CHECK(data.at("series").empty());
  CHECK(data.at("conditions").size() == kAlertRules.size());
}

TEST_CASE_FIXTURE(DashboardFixture, "Dashboard: each second is the end of the whole") {
  streamd.metrics.send(16'777'217);
  step();
  streamd.metrics.send(10);
  const Json newest = step();
  const Json whole = Json::parse(dashboard.whole());
  CHECK(newest.at("first") == 2);
  CHECK(whole.at("first") == 1);
  CHECK(newest.at("times_ms") == Json{clock.unix_ns() / kNsPerMs});
  CHECK(whole.at("times_ms").size() == 2);
  const Json* sent = series(whole, "websocket_chunks_sent_total");
  REQUIRE(sent != nullptr);
  CHECK(sent->at("type") == "counter");
  CHECK(sent->at("values") == Json{nullptr, 10});
  CHECK(series(newest, "websocket_chunks_sent_total")->at("values") == Json{10});
  INFO("a total is exact, also where a float would not be");
  CHECK(sent->at("total") == 16'777'227);
  CHECK(whole.at("version") == AURALIS_VERSION);
  INFO("a page tells by the run that metricsd was restarted, and counts points from 1 again");
  CHECK(newest.at("run") == "this run");
  CHECK(whole.at("run") == "this run");
  CHECK(whole.at("player").at("port") == config.streamd.port);
  CHECK(whole.at("budget").at("left_percent") == 100);
}

TEST_CASE_FIXTURE(DashboardFixture,
                  "Dashboard: daemons and conditions with since-when, and the events of the second") {
  const Json first = step();
  const Json& synthd = first.at("daemons")[0];
  CHECK(synthd.at("name") == "synthd");
  CHECK(synthd.at("up") == false);
  CHECK(synthd.at("since_ms") == clock.unix_ns() / kNsPerMs);
  CHECK(contains(synthd.at("message"), "synthd is not there"));
  CHECK(first.at("events").size() == 2);
  const std::int64_t begun_ms = clock.unix_ns() / kNsPerMs;
  const Json second = step();
  CHECK(second.at("daemons")[0].at("since_ms") == begun_ms);
  CHECK(second.at("daemons")[1].at("up") == true);
  CHECK(second.at("events").empty());
  CHECK(Json::parse(dashboard.whole()).at("events")[0].at("subject") == "synthd");
  for (const auto& condition : second.at("conditions")) {
    if (condition.at("name") != "AuralisProcessDown") continue;
    CHECK(condition.at("state") == "pending");
    CHECK(condition.at("subject") == "synthd");
    CHECK(condition.at("since_ms") == begun_ms);
    CHECK(condition.at("measured") == 0);
  }
}

}  // namespace auralis::dashboard_test
