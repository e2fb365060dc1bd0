// SPDX-License-Identifier: MIT
#include "metricsd/probe_results.h"

#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

namespace auralis::probe_results_test {
namespace {

using namespace test;

class FakeMetrics {
  MetricBinder& m_;

 public:
  explicit FakeMetrics(MetricBinder& m) : m_(m) {}
  Gauge success = m_.gauge("auralis_probe_success", "1 if right", {late_label("station", 0)});
  Gauge wrong = m_.gauge("auralis_probe_chunks_wrong", "Chunks", {late_label("station", 0)});
  Gauge up = m_.gauge("auralis_up", "1 while it is up", {{"process", "synthd"}});
  Gauge peak = m_.gauge("auralis_audio_peak", "Peak", {{"station", "night"}});
};

// What a probe does that then ends.
void write_results(const Config& config, double success, double wrong) {
  MetricsWriter writer(config.probe_dir(), declared_metrics<FakeMetrics>(), 1, 1);
  FakeMetrics metrics(writer.shard(0));
  writer.set_late_label(0, "night");
  metrics.success.set(success);
  metrics.wrong.set(wrong);
  metrics.up.set(1);
  metrics.peak.set(1);
}

}  // namespace

TEST_CASE_FIXTURE(SnapshotFixture, "results stay after the probe, until the next") {
  CHECK_FALSE(metric(source.take(), "auralis_probe_success", "night"));
  write_results(config, 0, 3);
  CHECK(metric(source.take(), "auralis_probe_success", "night") == 0);
  CHECK(metric(source.take(), "auralis_probe_chunks_wrong", "night") == 3);
  clock.now += 3'600 * kNsPerSecond;
  source.sample();
  CHECK(metric(source.take(), "auralis_probe_success", "night") == 0);
  write_results(config, 1, 0);
  CHECK(metric(source.take(), "auralis_probe_success", "night") == 1);
  CHECK(metric(source.take(), "auralis_probe_chunks_wrong", "night") == 0);
}

TEST_CASE_FIXTURE(SnapshotFixture, "a probe's segment says nothing about the daemons") {
  write_results(config, 1, 0);
  const Snapshot snapshot = source.take();
  CHECK(metric(snapshot, "auralis_probe_success", "night") == 1);
  CHECK(metric(snapshot, "auralis_up", "synthd") == 0);
  CHECK_FALSE(metric(snapshot, "auralis_audio_peak", "night"));
  CHECK(snapshot.up == std::array<bool, 3>{false, false, true});
}

TEST_CASE_FIXTURE(SnapshotFixture, "results that are impossible are left out") {
  write_results(config, 1, 1e300);
  CHECK_FALSE(metric(source.take(), "auralis_probe_success", "night"));
  write_file(config.probe_dir() / "metrics", std::string(100'000, 'x'));
  CHECK_FALSE(metric(source.take(), "auralis_probe_success", "night"));
  CHECK(metric(source.take(), "auralis_up", "metricsd") == 1);
}

}  // namespace auralis::probe_results_test
