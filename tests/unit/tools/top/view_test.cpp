// SPDX-License-Identifier: MIT
#include "tools/top/view.h"

#include "tests/unit/metricsd/history_support.h"

#include <doctest/doctest.h>

namespace auralis::view_test {

using namespace test;

namespace {

std::vector<DaemonView> daemons(DaemonStatus synthd = DaemonStatus::kUp,
                                DaemonStatus metricsd = DaemonStatus::kUp) {
  std::vector<DaemonView> views(3);
  views[0] = {Daemon::kSynthd, synthd, {}, {}, {}, {}};
  views[1] = {Daemon::kStreamd, DaemonStatus::kUp, {}, {}, {}, {}};
  views[2] = {Daemon::kMetricsd, metricsd, {}, {}, {}, {}};
  return views;
}

struct Fixture : HistoryFixture {
  Conditions conditions;
  Snapshot snapshot;

  void sample(std::vector<MetricSample> samples) {
    snapshot.families = families_of(samples);
    add(std::move(samples));
    conditions.evaluate(history);
  }
  View view(std::int64_t span_ns = 60 * kNsPerSecond) const {
    return view_of(daemons(), snapshot, history, conditions, span_ns);
  }
};

MetricLabel station(const char* name) { return {"station", name}; }
MetricLabel process(const char* name) { return {"process", name}; }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "values are those of the newest snapshot, absent ones are absent") {
  const auto hearing = [](const char* name, const char* format, double count) {
    return gauge_of("auralis_listeners", count, {station(name), {"format", format}});
  };
  sample({gauge_of("websocket_active_connections", 7), gauge_of("cpu_utilization_percent", 50),
          hearing("day", "pcm", 2), hearing("night", "pcm", 4), hearing("day", "json", 1),
          gauge_of("auralis_realtime_factor", 8),
          gauge_of("cpu_utilization_percent", 12, {process("synthd")}),
          gauge_of("memory_usage_mb", 80, {process("streamd")}),
          gauge_of("auralis_heartbeat_age_seconds", 0.5, {process("streamd")})});
  const View shown = view();
  CHECK(shown.listeners == 7);
  CHECK(shown.listeners_by_format == std::map<std::string, double>{{"json", 1}, {"pcm", 6}});
  CHECK(shown.realtime_factor == 8);
  CHECK(shown.machine_cpu_percent == 50);
  CHECK_FALSE(shown.success_percent);
  CHECK(shown.daemons[0].cpu_percent == 12);
  CHECK_FALSE(shown.daemons[0].memory_mb);
  CHECK(shown.daemons[1].memory_mb == 80);
  CHECK(shown.daemons[1].heartbeat_age_s == 0.5);
  CHECK_FALSE(shown.daemons[0].heartbeat_age_s);
}

TEST_CASE_FIXTURE(Fixture, "quantiles and rates are of the window, not since the start") {
  // 1,000 slow batches before the window, 10 fast ones within.
  const auto at = [&](double slow, double fast, double dropped) {
    sample({histogram_of("audio_synthesis_latency_ms", {10, 100}, {fast, slow, 0}),
            counter_of("websocket_chunks_dropped_total", dropped, {{"reason", "backlog"}})});
  };
  at(0, 0, 0);
  at(1'000, 0, 500);
  at(1'000, 10, 504);
  at(1'000, 10, 506);
  const View lately = view(2 * kNsPerSecond);
  CHECK(lately.window_s == 2);
  CHECK(lately.latencies[0].name == "synthesis");
  CHECK(lately.latencies[0].p99.value() < 10);
  CHECK_FALSE(lately.latencies[1].p50);
  REQUIRE(lately.drops.size() == 1);
  CHECK(lately.drops[0].reason == "backlog");
  CHECK(lately.drops[0].per_s == 3);
  const View all = view();
  CHECK(all.window_s == 3);
  CHECK(all.latencies[0].p99.value() > 50);
}

TEST_CASE_FIXTURE(Fixture, "stations are those that play, each with its own numbers") {
  const auto at = [&](double underruns) {
    sample({gauge_of("ring_buffer_depth_ms", 800, {station("day")}),
            gauge_of("ring_buffer_depth_ms", 700, {station("night")}),
            gauge_of("ring_buffer_utilization_percent", 40, {station("day")}),
            counter_of("auralis_chunks_published_total", 12, {station("night")}),
            counter_of("auralis_chunks_published_total", 0, {station("personal")}),
            gauge_of("auralis_audio_peak", 0.5, {station("day"), {"at", "published"}}),
            gauge_of("auralis_audio_peak", 0.4, {station("night"), {"at", "sent"}}),
            gauge_of("auralis_audio_peak", 0.5, {station("night"), {"at", "published"}}),
            gauge_of("auralis_audio_loudness_lufs", -17, {station("day"), {"at", "published"}}),
            counter_of("ring_buffer_underruns_total", underruns, {station("night")})});
  };
  at(5);
  at(8);
  const View shown = view();
  REQUIRE(shown.stations.size() == 2);
  CHECK(shown.stations[0].name == "day");
  CHECK(shown.stations[0].depth_ms == 800);
  CHECK(shown.stations[0].utilization_percent == 40);
  CHECK_FALSE(shown.stations[0].chunks);
  CHECK(shown.stations[0].peak == 0.5);
  CHECK(shown.stations[0].loudness_lufs == -17);
  CHECK(shown.stations[1].name == "night");
  CHECK(shown.stations[1].chunks == 12);
  CHECK(shown.stations[1].peak == 0.4);
  CHECK_FALSE(shown.stations[1].loudness_lufs);
  CHECK(shown.stations[1].underruns == 3);
}

TEST_CASE_FIXTURE(Fixture, "health is healthy, degraded by a high condition, down without synthd") {
  const auto depth = [&](double ms) { sample({gauge_of("ring_buffer_depth_ms", ms, {station("day")})}); };
  depth(800);
  CHECK(view().health == Health::kHealthy);
  depth(199);
  CHECK(view().health == Health::kDegraded);
  depth(200);
  CHECK(view().health == Health::kHealthy);
  sample({gauge_of("cpu_utilization_percent", 99)});
  CHECK(view().conditions.at(alert_index("CPUUtilizationHigh")).state == AlertState::kPending);
  CHECK(view().health == Health::kHealthy);
  sample({gauge_of("auralis_probe_success", 0, {station("day")}),
          gauge_of("auralis_probe_last_run_timestamp_seconds", static_cast<double>(clock.unix_ns()) / 1e9,
                   {station("day")})});
  CHECK(view().conditions.at(alert_index("ProbeFailing")).state == AlertState::kPending);
  CHECK(view().health == Health::kHealthy);
  for (const DaemonStatus status : {DaemonStatus::kDown, DaemonStatus::kHung, DaemonStatus::kUnreadable})
    CHECK(view_of(daemons(status), snapshot, history, conditions, 1).health == Health::kDown);
  const auto without_metricsd = daemons(DaemonStatus::kUp, DaemonStatus::kDown);
  CHECK(view_of(without_metricsd, snapshot, history, conditions, 1).health == Health::kHealthy);
}

}  // namespace auralis::view_test
