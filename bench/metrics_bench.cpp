// SPDX-License-Identifier: MIT
// Measures the cost of metrics. Names are `what/how`, times those of one operation:
//
//   counter/<how>                    adding to one of several counters in turn, as the hot path does
//   histogram/<how>                  observing a value; how: auralis, prometheus-cpp
//   snapshot/segments                reading all metrics of synthd and streamd from their segments
//   snapshot/all                     likewise, checked, with metricsd's own and derived ones: what /metrics
//   and
//                                    ZeroMQ are made of
//
// Snapshots are of 32 configured stations; the counter `series` says how many series they have.
#include <benchmark/benchmark.h>

#include <unistd.h>
#include <array>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/metrics/metrics.h"
#include "common/metrics/metrics_segment.h"
#include "common/metrics/station_labels.h"
#include "common/segments/audio_segment.h"
#include "common/segments/control_segment.h"
#include "metricsd/snapshot.h"
#include "streamd/stream_metrics.h"
#include "synthd/synth_metrics.h"

namespace auralis {
namespace {

constexpr std::size_t kWorkers = 4;  // network threads of streamd
constexpr std::size_t kCounters = 16;
const std::vector<double> kBounds{0.5, 1, 2.5, 5, 10, 25, 50, 75, 100, 150, 200, 500, 1'000, 2'000, 5'000};

// Latencies that fall into all buckets in an order that cannot be predicted, as listeners' do.
std::vector<double> latencies_ms() {
  std::mt19937 random(1);
  std::lognormal_distribution<double> distribution(2, 2);
  std::vector<double> values(4'096);
  for (double& value : values) value = distribution(random);
  return values;
}

// Calls `use` with one of the elements after the other, of which there is a power of two.
template <typename Elements, typename Use>
void each_in_turn(benchmark::State& state, Elements& elements, const Use& use) {
  const std::size_t mask = elements.size() - 1;
  std::size_t next = 0;
  for (auto _ : state) {
    use(elements[next++ & mask]);
    benchmark::ClobberMemory();
  }
}

// In memory as a segment has it: the private shard, and the shared one.
class HotMetrics {
  MetricBinder& m_;

 public:
  explicit HotMetrics(MetricBinder& m) : m_(m) {
    for (Counter& counter : counters) counter = m_.counter("counter_total", "Counted");
  }
  std::array<Counter, kCounters> counters;
  Histogram histogram = m_.histogram("histogram_ms", "Observed", kBounds);
};

struct Shard {
  std::vector<MetricSpec> specs = declared_metrics<HotMetrics>();
  std::vector<SharedWord> own = std::vector<SharedWord>(shard_words(specs));
  std::vector<SharedWord> shown = std::vector<SharedWord>(shard_words(specs));
  MetricBinder binder{own.data(), shown.data(), specs};
  HotMetrics metrics{binder};
};

void bench_counter(benchmark::State& state) {
  Shard shard;
  each_in_turn(state, shard.metrics.counters, [](Counter& counter) { counter.add(); });
}

void bench_prometheus_counter(benchmark::State& state) {
  std::array<prometheus::Counter, kCounters> counters;
  each_in_turn(state, counters, [](prometheus::Counter& counter) { counter.Increment(); });
}

void bench_histogram(benchmark::State& state) {
  Shard shard;
  const std::vector<double> values = latencies_ms();
  each_in_turn(state, values, [&](double value) { shard.metrics.histogram.observe(value); });
}

void bench_prometheus_histogram(benchmark::State& state) {
  prometheus::Histogram histogram(kBounds);
  const std::vector<double> values = latencies_ms();
  each_in_turn(state, values, [&](double value) { histogram.Observe(value); });
}

// A moment at which the heartbeats of the daemons below are fresh.
class StandingClock final : public Clock {
 public:
  std::int64_t now_ns() const override { return 1'000 * kNsPerSecond; }
  std::int64_t unix_ns() const override { return 1'800'000'000 * kNsPerSecond; }
};

struct Folder {
  std::filesystem::path path =
      std::filesystem::path("/dev/shm") / ("auralis-bench-" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directory(path); }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

// The segments of synthd and streamd with kMaxConfiguredStations stations, as the daemons would leave them.
class Segments {
 public:
  Segments() {
    config_.runtime.dir = folder_.path;
    synthd_.emplace(config_.daemon_dir(Daemon::kSynthd), declared_metrics<SynthMetrics>(), 1,
                    clock_.now_ns());
    streamd_.emplace(config_.daemon_dir(Daemon::kStreamd), declared_metrics<StreamMetrics>(), 1 + kWorkers,
                     clock_.now_ns());
    audio_.emplace(config_.daemon_dir(Daemon::kSynthd), Timeline{}, kSlots, kMaxConfiguredStations);
    control_.emplace(config_.daemon_dir(Daemon::kStreamd) / "control",
                     SegmentFormat{SegmentKind::kControl, kControlLayoutVersion, 64, 0});
    open_stations();
    set_gauges();
    audio_->publish(clock_.now_ns());
    control_->publish(clock_.now_ns());
  }

  const Config& config() const { return config_; }
  const Clock& clock() const { return clock_; }

 private:
  static constexpr std::uint32_t kSlots = 20;

  void open_stations() {
    std::vector<std::string> names;
    for (std::size_t row = 0; row < kMaxConfiguredStations; ++row) {
      names.push_back("station-" + std::to_string(row));
      StationState station = named_state(names.back());
      station.history = begun_with(kPresets.front().parameters);
      audio_->open(row, station);
      const std::vector<std::int16_t> silence(audio_->timeline().chunk_samples());
      audio_->write_chunk(row, audio_->timeline().chunk_at(clock_.now_ns()), silence.data());
    }
    for (MetricsWriter* writer : {&*synthd_, &*streamd_}) {
      StationLabels labels(*writer);
      for (const std::string& name : names) labels.label_of(name);
    }
  }

  void set_gauges() {
    SynthMetrics synthd(synthd_->shard(0));
    synthd.process.begin();
    synthd.process.sample();
    StreamMetrics streamd(streamd_->shard(0));
    streamd.process.begin();
    streamd.process.sample();
    for (Gauge* gauge : {&streamd.chunks_queued, &streamd.listeners_behind, &streamd.active_connections,
                         &streamd.station_capacity, &streamd.configured_stations, &streamd.personal_stations})
      gauge->set(1);
  }

  Folder folder_;
  StandingClock clock_;
  Config config_;
  std::optional<MetricsWriter> synthd_;
  std::optional<MetricsWriter> streamd_;
  std::optional<AudioWriter> audio_;
  std::optional<SegmentWriter> control_;
};

void bench_segments(benchmark::State& state) {
  const Segments segments;
  MetricsReader synthd(segments.config().daemon_dir(Daemon::kSynthd));
  MetricsReader streamd(segments.config().daemon_dir(Daemon::kStreamd));
  synthd.refresh();
  streamd.refresh();
  std::size_t series = 0;
  for (auto _ : state) {
    std::vector<MetricSample> samples;
    synthd.read(samples);
    streamd.read(samples);
    series = samples.size();
  }
  state.counters["series"] = static_cast<double>(series);
}

void bench_snapshot(benchmark::State& state) {
  const Segments segments;
  SnapshotSource source(segments.config(), segments.clock());
  source.sample();
  std::size_t series = 0;
  for (auto _ : state) {
    const Snapshot snapshot = source.take();
    series = 0;
    for (const auto& family : snapshot.families) series += family.samples.size();
  }
  state.counters["series"] = static_cast<double>(series);
}

}  // namespace
}  // namespace auralis

BENCHMARK(auralis::bench_counter)->Name("counter/auralis");
BENCHMARK(auralis::bench_prometheus_counter)->Name("counter/prometheus-cpp");
BENCHMARK(auralis::bench_histogram)->Name("histogram/auralis");
BENCHMARK(auralis::bench_prometheus_histogram)->Name("histogram/prometheus-cpp");
BENCHMARK(auralis::bench_segments)->Name("snapshot/segments")->Unit(benchmark::kMicrosecond);
BENCHMARK(auralis::bench_snapshot)->Name("snapshot/all")->Unit(benchmark::kMicrosecond);
BENCHMARK_MAIN();
