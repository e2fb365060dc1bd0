// SPDX-License-Identifier: MIT
#include "metricsd/event_log.h"

#include "tests/unit/metricsd/history_support.h"

#include <doctest/doctest.h>

namespace auralis::event_log_test {

using namespace test;

namespace {

struct EventsFixture : HistoryFixture {
  TempDir empty;
  StationLinks links{empty.path()};
  Conditions conditions;
  EventLog log{links};
  double underruns = 0;

  void step(std::vector<MetricSample> samples, const std::vector<DaemonEvent>& daemons = {}) {
    add(std::move(samples));
    conditions.evaluate(history);
    log.note(history, conditions, daemons);
  }
  // A second in which that many chunks of station day were not there when due.
  void miss(double chunks) {
    step({counter_of("ring_buffer_underruns_total", underruns += chunks, {{"station", "day"}})});
  }
};

}  // namespace

TEST_CASE_FIXTURE(EventsFixture, "EventLog: daemons that go and come, with what is said of them") {
  step({}, {{Daemon::kSynthd, false, "synthd has ended"}});
  step({}, {{Daemon::kSynthd, true, "synthd is up"}});
  REQUIRE(log.events().size() == 2);
  const LoggedEvent& down = log.events()[0];
  CHECK(down.kind == "down");
  CHECK(down.subject == "synthd");
  CHECK(down.message == "synthd has ended");
  CHECK(down.begin_unix_ns == history.unix_ns(1));
  CHECK(down.point == 1);
  CHECK(log.events()[1].kind == "up");
  CHECK(log.events()[1].id > down.id);
}

TEST_CASE_FIXTURE(EventsFixture, "EventLog: underruns in a row are one event, with their exact count") {
  miss(0);
  miss(10);
  miss(10);
  miss(0);
  miss(1);
  REQUIRE(log.events().size() == 1);
  CHECK(log.events()[0].kind == "underrun");
  CHECK(log.events()[0].count == 21);
  CHECK(log.events()[0].message == "Station day: 21 chunks were not there when due");
  CHECK(log.events()[0].begin_unix_ns == history.unix_ns(2));
  CHECK(log.events()[0].end_unix_ns == history.unix_ns(5));
  CHECK(log.events()[0].point == 5);
  for (int second = 0; second < 3; ++second) miss(0);
  miss(1);
  REQUIRE(log.events().size() == 2);
  CHECK(log.events()[1].message == "Station day: 1 chunk was not there when due");
}

TEST_CASE_FIXTURE(EventsFixture, "EventLog: a condition that fires is raised, and cleared when it ends") {
  const auto depth = [](double ms) {
    return std::vector<MetricSample>{gauge_of("ring_buffer_depth_ms", ms, {{"station", "day"}})};
  };
  for (int second = 0; second < 120; ++second) step(depth(100));
  CHECK(log.events().empty());
  step(depth(100));
  REQUIRE(log.events().size() == 1);
  CHECK(log.events()[0].kind == "raised");
  CHECK(log.events()[0].message == "RingBufferDepthLow fires: day");
  step(depth(700));
  CHECK(log.events().back().kind == "cleared");
}

TEST_CASE_FIXTURE(EventsFixture,
                  "EventLog: forgets what is older than the history, and keeps so many at most") {
  step({}, {{Daemon::kStreamd, false, "streamd has ended"}});
  for (std::size_t second = 0; second < History::kPoints; ++second) step({});
  CHECK(log.events().empty());
  for (std::size_t second = 0; second < EventLog::kMost + 5; ++second) {
    step({}, {{Daemon::kStreamd, false, "streamd has ended"}});
  }
  CHECK(log.events().size() == EventLog::kMost);
}

}  // namespace auralis::event_log_test
