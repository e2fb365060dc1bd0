// SPDX-License-Identifier: MIT
#include "metricsd/snapshot.h"

#include <chrono>
#include <fstream>
#include <limits>
#include <memory>
#include <thread>

#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

#include <filesystem>

namespace auralis::snapshot_test {
namespace {

using namespace test;

MetricSample sample_of(const std::string& name, MetricType type, double value,
                       std::vector<MetricLabel> labels = {}) {
  MetricSample sample;
  sample.spec = {name, "help", type, std::move(labels), {}};
  sample.value = value;
  return sample;
}

}  // namespace

TEST_CASE("families_of: series of one name from several daemons are one family") {
  const auto families = families_of({sample_of("a", MetricType::kGauge, 1, {{"process", "x"}}),
                                     sample_of("b", MetricType::kCounter, 2),
                                     sample_of("a", MetricType::kGauge, 3, {{"process", "y"}})});
  REQUIRE(families.size() == 2);
  CHECK(families[0].name == "a");
  REQUIRE(families[0].samples.size() == 2);
  CHECK(families[0].samples[1].value == 3);
}

TEST_CASE("families_of: what would make the whole unreadable is left out") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  MetricSample bad_histogram = sample_of("histogram", MetricType::kHistogram, 0);
  bad_histogram.spec.bounds = {1};
  bad_histogram.buckets = {1, nan};
  const auto families = families_of(
      {sample_of("good", MetricType::kGauge, 1), sample_of("good", MetricType::kGauge, 2),
       sample_of("good", MetricType::kCounter, 3, {{"l", "v"}}), sample_of("nan", MetricType::kGauge, nan),
       sample_of("infinite", MetricType::kCounter, infinity), sample_of("line\nbreak", MetricType::kGauge, 1),
       sample_of("1st", MetricType::kGauge, 1), sample_of("", MetricType::kGauge, 1),
       sample_of("label", MetricType::kGauge, 1, {{"a-b", "v"}}), bad_histogram});
  REQUIRE(families.size() == 1);
  REQUIRE(families[0].samples.size() == 1);
  CHECK(families[0].samples[0].value == 1);
}

TEST_CASE_FIXTURE(SnapshotFixture, "SnapshotSource: each daemon's counters tell since when they count") {
  const std::int64_t began_unix_ns = clock.unix_ns();
  clock.now += kNsPerSecond;
  const FakeStreamd streamd(config, Daemon::kStreamd, clock);
  const auto began = [snapshot = source.take()](const std::string& name) {
    for (const auto& family : snapshot.families) {
      if (family.name == name) return family.samples.at(0).began_unix_ns;
    }
    return std::int64_t{-1};
  };
  CHECK(began("auralis_scrapes_total") == began_unix_ns);
  CHECK(began("auralis_chunks_due_total") == began_unix_ns + kNsPerSecond);
}

TEST_CASE_FIXTURE(SnapshotFixture,
                  "SnapshotSource: without daemons it says so, and has the machine and itself") {
  source.sample();
  const Snapshot snapshot = source.take();
  CHECK(metric(snapshot, "auralis_filesystem_free_percent", "runtime").value_or(-1) >= 0);
  CHECK_FALSE(metric(snapshot, "auralis_filesystem_free_percent", "log"));
  CHECK(metric(snapshot, "auralis_up", "synthd") == 0);
  CHECK(metric(snapshot, "auralis_up", "streamd") == 0);
  CHECK(metric(snapshot, "auralis_up", "metricsd") == 1);
  CHECK(metric(snapshot, "memory_usage_mb", "metricsd").value_or(0) > 0);
  CHECK(snapshot.up == std::array<bool, 3>{false, false, true});
  CHECK_FALSE(metric(snapshot, "gpu_utilization_percent"));
  CHECK(snapshot.unix_ns == clock.unix_ns());
}

TEST_CASE_FIXTURE(SnapshotFixture, "SnapshotSource: a daemon is up while each of its segments can be had") {
  const FakeSynthd synthd(config, Daemon::kSynthd, clock);
  source.sample();
  CHECK(metric(source.take(), "auralis_up", "synthd") == 1);
  const auto audio = config.daemon_dir(Daemon::kSynthd) / "audio";
  std::filesystem::remove(audio);
  const auto events = source.sample();
  REQUIRE(events.size() == 1);
  CHECK(events[0].change == DaemonChange::kHang);
  CHECK(events[0].message ==
        "synthd is not healthy: " + audio.string() + " was removed, replaced or overwritten");
  CHECK(metric(source.take(), "auralis_up", "synthd") == 0);
}

TEST_CASE_FIXTURE(
    SnapshotFixture,
    "SnapshotSource: a daemon's metrics come fresh from its segment, unset gauges do not come") {
  FakeSynthd synthd(config, Daemon::kSynthd, clock);
  CHECK(metric(source.take(), "auralis_up", "synthd") == 1);
  CHECK_FALSE(metric(source.take(), "gpu_memory_allocated_mb"));
  synthd.metrics.gpu_memory_mb.set(64);
  CHECK(metric(source.take(), "gpu_memory_allocated_mb") == 64);
  synthd.metrics.gpu_memory_mb.clear();
  CHECK_FALSE(metric(source.take(), "gpu_memory_allocated_mb"));
  CHECK(metric(source.take(), "auralis_engine_device_busy_seconds_total") == 0);
}

TEST_CASE_FIXTURE(
    SnapshotFixture,
    "SnapshotSource: a daemon that ends is gone with its metrics, one that hangs keeps what it counted") {
  auto synthd = std::make_unique<FakeSynthd>(config, Daemon::kSynthd, clock);
  FakeStreamd streamd(config, Daemon::kStreamd, clock);
  for (int second = 0; second < 3; ++second) {
    synthd->metrics.memory_mb.set(10);
    synthd->metrics.gpu_memory_mb.set(64);
    streamd.metrics.send(10);
    synthd->beat(clock);
    streamd.beat(clock);
    source.sample();
    clock.now += kNsPerSecond;
  }
  Snapshot snapshot = source.take();
  CHECK(metric(snapshot, "gpu_utilization_percent") == 0);
  CHECK(metric(snapshot, "memory_usage_mb", "synthd") == 10);
  CHECK(metric(snapshot, "auralis_heartbeat_age_seconds", "synthd") == 1);
  CHECK(metric(snapshot, "websocket_chunk_delivery_success_rate") == 100);

  synthd.reset();
  snapshot = source.take();
  CHECK(metric(snapshot, "auralis_up", "synthd") == 0);
  CHECK_FALSE(metric(snapshot, "memory_usage_mb", "synthd"));
  CHECK_FALSE(metric(snapshot, "auralis_heartbeat_age_seconds", "synthd"));
  CHECK_FALSE(metric(snapshot, "gpu_utilization_percent"));
  CHECK_FALSE(metric(snapshot, "auralis_engine_device_busy_seconds_total"));
  CHECK(metric(snapshot, "websocket_chunks_sent_total") == 30);

  clock.now += SegmentReader::kHungAfterNs;
  snapshot = source.take();
  CHECK(metric(snapshot, "auralis_up", "streamd") == 0);
  CHECK(metric(snapshot, "auralis_heartbeat_age_seconds", "streamd") == 6);
  CHECK(metric(snapshot, "websocket_chunks_sent_total") == 30);
  CHECK_FALSE(metric(snapshot, "memory_usage_mb", "streamd"));
  CHECK_FALSE(metric(snapshot, "websocket_chunk_delivery_success_rate"));
  CHECK_FALSE(metric(snapshot, "network_bandwidth_mbps"));

  streamd.beat(clock);
  snapshot = source.take();
  CHECK(metric(snapshot, "auralis_up", "streamd") == 1);
  CHECK(metric(snapshot, "websocket_chunks_sent_total") == 30);
}

TEST_CASE_FIXTURE(SnapshotFixture,
                  "SnapshotSource: a restarted daemon is found again, its counters gone on") {
  {
    FakeStreamd first(config, Daemon::kStreamd, clock);
    first.metrics.send(7);
    first.metrics.depth_ms.set(750);
    CHECK(metric(source.take(), "websocket_chunks_sent_total") == 7);
  }
  FakeStreamd second(config, Daemon::kStreamd, clock);
  second.metrics.send(1);
  CHECK(metric(source.take(), "websocket_chunks_sent_total") == 8);
  CHECK_FALSE(metric(source.take(), "ring_buffer_depth_ms", "a \"b\"\\c"));
}

TEST_CASE_FIXTURE(SnapshotFixture,
                  "SnapshotSource: series of a late label come, change and go with its text, and stay over a "
                  "restart") {
  {
    FakeStreamd first(config, Daemon::kStreamd, clock);
    first.name(0, "forest");
    first.metrics.chunks[0].add(3);
    CHECK(metric(source.take(), "chunks_total", "forest") == 3);
    CHECK_FALSE(metric(source.take(), "chunks_total", ""));
    first.name(0, "sea");
    CHECK_FALSE(metric(source.take(), "chunks_total", "forest"));
    CHECK(metric(source.take(), "chunks_total", "sea") == 0);
    first.metrics.chunks[0].add(1);
  }
  FakeStreamd second(config, Daemon::kStreamd, clock);
  CHECK(metric(source.take(), "chunks_total", "sea") == 1);
  second.name(0, "");
  CHECK_FALSE(metric(source.take(), "chunks_total", "sea"));
}

TEST_CASE_FIXTURE(SnapshotFixture, "SnapshotSource: a segment of garbage is a daemon that is not there") {
  std::filesystem::create_directories(config.daemon_dir(Daemon::kSynthd));
  std::ofstream(config.daemon_dir(Daemon::kSynthd) / "metrics") << std::string(100'000, 'x');
  source.sample();
  CHECK(metric(source.take(), "auralis_up", "synthd") == 0);
}

TEST_CASE_FIXTURE(SnapshotFixture,
                  "SnapshotSource: counts scrapes and publications, and nothing else as such") {
  source.take();
  CHECK(metric(scrape(), "auralis_scrapes_total") == 1);
  source.count_published();
  const Snapshot snapshot = scrape();
  CHECK(metric(snapshot, "auralis_scrapes_total") == 2);
  CHECK(metric(snapshot, "auralis_snapshots_published_total") == 1);
}

TEST_CASE_FIXTURE(SnapshotFixture,
                  "SnapshotSource: tells how long the last scrape took, serializing included") {
  CHECK_FALSE(metric(source.take(), "auralis_scrape_duration_seconds"));
  const std::string text = source.scrape([&](const Snapshot&) {
    clock.now += kNsPerSecond / 4;
    return std::string("all");
  });
  CHECK(text == "all");
  CHECK(metric(source.take(), "auralis_scrape_duration_seconds") == 0.25);
  scrape();
  CHECK(metric(source.take(), "auralis_scrape_duration_seconds") == 0);
}

TEST_CASE_FIXTURE(RuntimeFixture, "SnapshotSource: a GPU that renders is read from its driver") {
  SnapshotSource source(config, clock, "/proc",
                        {AURALIS_FAKE_NVML, folder.path(), std::chrono::milliseconds(1)});
  FakeSynthd synthd(config, Daemon::kSynthd, clock);
  synthd.beat(clock);
  synthd.name(kDeviceLabel, "Fake GPU");
  synthd.metrics.engine_info.set(1);
  source.sample();
  CHECK_FALSE(metric(source.take(), "auralis_gpu_power_watts"));
  synthd.metrics.gpu_memory_mb.set(64);
  source.sample();
  for (int i = 0; i < 10'000 && !metric(source.take(), "auralis_gpu_power_watts"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    source.sample();
  }
  const Snapshot snapshot = source.take();
  CHECK(metric(snapshot, "gpu_utilization_percent") == 37);
  CHECK(metric(snapshot, "auralis_gpu_memory_total_mb") == 8192);
  CHECK(metric(snapshot, "auralis_gpu_temperature_celsius") == 61);
  CHECK(metric(snapshot, "auralis_gpu_power_watts") == 123.5);
  // The native engine has taken over.
  synthd.metrics.gpu_memory_mb.clear();
  source.sample();
  for (const char* const name : {"gpu_utilization_percent", "auralis_gpu_memory_total_mb",
                                 "auralis_gpu_temperature_celsius", "auralis_gpu_power_watts"})
    CHECK_FALSE(metric(source.take(), name));
}

}  // namespace auralis::snapshot_test
