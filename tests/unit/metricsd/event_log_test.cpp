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
    const auto families = families_of(samples);
    add(std::move(samples));
    conditions.evaluate(history);
    log.note(history, conditions, daemons, families);
  }
  // A second in which that many chunks of station day were not there when due.
  void miss(double chunks) {
    step({counter_of("ring_buffer_underruns_total", underruns += chunks, {{"station", "day"}})});
  }
};

}  // namespace

TEST_CASE_FIXTURE(EventsFixture, "EventLog: daemons that go, hang and come, with what is said of them") {
  step({}, {{Daemon::kSynthd, DaemonChange::kDown, "synthd has ended"}});
  step({}, {{Daemon::kSynthd, DaemonChange::kUp, "synthd is up"},
            {Daemon::kStreamd, DaemonChange::kHang, "streamd hangs"}});
  REQUIRE(log.events().size() == 3);
  const LoggedEvent& down = log.events()[0];
  CHECK(down.kind == EventKind::kDown);
  CHECK(down.process == Daemon::kSynthd);
  CHECK(down.subject == "synthd");
  CHECK(down.message == "synthd has ended");
  CHECK(down.begin_unix_ns == history.unix_ns(1));
  CHECK(down.point == 1);
  CHECK(log.events()[1].kind == EventKind::kUp);
  CHECK(log.events()[2].kind == EventKind::kHang);
  for (std::size_t event = 0; event < 3; ++event) {
    CHECK(log.events()[event].id == event + 1);
    CHECK(log.events()[event].seq == event + 1);
  }
}

TEST_CASE_FIXTURE(EventsFixture, "EventLog: underruns in a row are one event, with their exact count") {
  miss(0);
  miss(10);
  miss(10);
  miss(0);
  miss(1);
  REQUIRE(log.events().size() == 1);
  CHECK(log.events()[0].kind == EventKind::kHole);
  CHECK(log.events()[0].count == 21);
  CHECK(log.events()[0].message == "Station day: 21 chunks were not there when due");
  CHECK(log.events()[0].begin_unix_ns == history.unix_ns(2));
  CHECK(log.events()[0].end_unix_ns == history.unix_ns(5));
  CHECK(log.events()[0].point == 5);
  INFO("it rose in three of these seconds, by 1 in the last");
  CHECK(log.events()[0].rise == 1);
  CHECK(log.events()[0].seq == 3);
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
  CHECK(log.events()[0].kind == EventKind::kRaised);
  CHECK(log.events()[0].message == "RingBufferDepthLow fires: day");
  step(depth(700));
  CHECK(log.events().back().kind == EventKind::kCleared);
}

TEST_CASE_FIXTURE(EventsFixture, "EventLog: what is counted is told apart by kind and subject") {
  const auto counters = [](double lapped, double failovers, double limit, double ticket, double accepted) {
    return std::vector<MetricSample>{
        counter_of("ring_buffer_overruns_total", lapped),
        counter_of("auralis_engine_failovers_total", failovers),
        counter_of("websocket_connections_total", limit),
        counter_of("websocket_connections_rejected_total", limit, {{"reason", "limit"}}),
        counter_of("websocket_connections_rejected_total", ticket, {{"reason", "ticket"}}),
        counter_of("auralis_control_messages_total", accepted, {{"result", "accepted"}})};
  };
  step(counters(0, 0, 7, 0, 0));
  CHECK(log.events().empty());
  step(counters(2, 1, 57, 1, 3));
  step(counters(2, 1, 107, 1, 3));
  REQUIRE(log.events().size() == 6);
  const auto described = [&](std::size_t index) {
    const LoggedEvent& event = log.events().at(index);
    return std::string(event_kind_name(event.kind)) + ", " + std::string(daemon_name(event.process)) + ", " +
           event.subject + ": " + event.message;
  };
  CHECK(described(0) == "overrun, streamd, streamd: streamd was lapped 2 times");
  CHECK(described(1) == "failover, synthd, synthd: The device failed, the native engine renders: 1 failover");
  CHECK(described(2) == "refusals, streamd, limit: 100 connections refused: limit");
  CHECK(described(3) == "refusals, streamd, ticket: 1 connection refused: ticket");
  CHECK(described(4) == "control, streamd, accepted: 3 control messages accepted");
  CHECK(log.events()[2].rise == 50);
  CHECK(log.events()[5].message == "EngineFailover fires");
}

TEST_CASE_FIXTURE(EventsFixture,
                  "EventLog: a configuration that is read again is an event, the first of a process is not") {
  const auto read_at = [](double unix_s, double good) {
    return std::vector<MetricSample>{
        gauge_of("auralis_config_last_reload_timestamp_seconds", unix_s, {{"process", "streamd"}}),
        gauge_of("auralis_config_last_reload_successful", good, {{"process", "streamd"}})};
  };
  step(read_at(1'764'467'000, 1));
  step(read_at(1'764'467'000, 1));
  step({});
  step(read_at(1'764'467'003, 1));
  CHECK(log.events().empty());
  step(read_at(1'764'467'004, 1));
  step(read_at(1'764'467'005, 0));
  REQUIRE(log.events().size() == 3);
  CHECK(log.events()[0].kind == EventKind::kReload);
  CHECK(log.events()[0].process == Daemon::kStreamd);
  CHECK_FALSE(log.events()[0].bad);
  CHECK(log.events()[1].bad);
  CHECK(log.events()[0].message == "streamd has reloaded its configuration");
  CHECK(log.events()[1].message == "streamd could not reload its configuration: see its log");
  CHECK(log.events()[2].message == "ConfigReloadFailed fires: streamd");
}

TEST_CASE_FIXTURE(EventsFixture, "EventLog: a restart between two samples is no reload") {
  const auto started_at = [](double unix_s) {
    return std::vector<MetricSample>{
        gauge_of("process_start_time_seconds", unix_s, {{"process", "streamd"}}),
        gauge_of("auralis_config_last_reload_timestamp_seconds", unix_s, {{"process", "streamd"}}),
        gauge_of("auralis_config_last_reload_successful", 1, {{"process", "streamd"}})};
  };
  step(started_at(1'764'467'000));
  step(started_at(1'764'467'001));
  CHECK(log.events().empty());
}

TEST_CASE_FIXTURE(EventsFixture, "EventLog: keeps so many at most, but those for however long") {
  step({}, {{Daemon::kStreamd, DaemonChange::kDown, "streamd has ended"}});
  for (std::size_t second = 0; second < History::kPoints; ++second) step({});
  CHECK(log.events().size() == 1);
  for (std::size_t second = 0; second < EventLog::kMost + 5; ++second) {
    step({}, {{Daemon::kStreamd, DaemonChange::kDown, "streamd has ended"}});
  }
  CHECK(log.events().size() == EventLog::kMost);
  CHECK(log.events().back().seq == EventLog::kMost + 6);
}

}  // namespace auralis::event_log_test
