// SPDX-License-Identifier: MIT
#include "metricsd/derived_metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "metricsd/snapshot.h"

#include <doctest/doctest.h>

namespace auralis::derived_metrics_test {
namespace {

using auralis::CpuTicks;
using auralis::Daemon;
using auralis::kNsPerSecond;
using auralis::MetricSample;

std::vector<MetricSample> samples_of(const std::map<std::string, double>& values) {
  std::vector<MetricSample> samples;
  for (const auto& [name, value] : values) {
    MetricSample sample;
    sample.spec.name = name;
    sample.value = value;
    samples.push_back(sample);
  }
  return samples;
}

// Derives from counters that a test sets, a second a step.
struct Bench {
  auralis::OwnMetricsMemory memory;
  auralis::DerivedMetrics derived{memory.metrics()};
  std::int64_t now_ns = 1'000 * kNsPerSecond;
  std::optional<CpuTicks> machine = CpuTicks{0, 0, 4};
  std::map<std::string, double> synthd{{"auralis_engine_device_busy_seconds_total", 0},
                                       {"auralis_process_cpu_seconds_total", 0},
                                       {"gpu_memory_allocated_mb", 64}};
  std::map<std::string, double> streamd{
      {"auralis_process_cpu_seconds_total", 0},    {"auralis_chunks_due_total", 0},
      {"auralis_chunks_on_time_total", 0},         {"network_bytes_sent_total", 0},
      {"auralis_send_intervals_total", 0},         {"auralis_send_interval_late_ms_total", 0},
      {"auralis_send_interval_early_ms_total", 0}, {"auralis_send_interval_ms_squares_total", 0},
  };

  std::map<std::string, double> dropped{{"disconnect", 0}, {"overrun", 0}};  // by reason
  std::map<std::string, double> other_station;                               // more series of the same names

  void step(int seconds = 1) {
    for (int second = 0; second < seconds; ++second) {
      now_ns += kNsPerSecond;
      derived.add_machine(now_ns, machine);
      derived.add_synthd(now_ns, samples_of(synthd));
      auto samples = samples_of(streamd);
      for (auto& sample : samples_of(other_station)) samples.push_back(std::move(sample));
      for (const auto& [reason, count] : dropped) {
        samples.push_back(samples_of({{"websocket_chunks_dropped_total", count}}).front());
        samples.back().spec.labels.push_back({"reason", reason});
      }
      derived.add_streamd(now_ns, samples);
      derived.add_metricsd(now_ns);
    }
  }

  void interval(double deviation_ms) {
    streamd["auralis_send_intervals_total"] += 1;
    streamd["auralis_send_interval_late_ms_total"] += std::max(deviation_ms, 0.0);
    streamd["auralis_send_interval_early_ms_total"] += std::max(-deviation_ms, 0.0);
    streamd["auralis_send_interval_ms_squares_total"] += deviation_ms * deviation_ms;
  }

  std::optional<double> metric(const std::string& name, const std::string& process = "") const {
    std::vector<MetricSample> samples;
    memory.read(samples);
    for (const auto& sample : samples) {
      const auto& labels = sample.spec.labels;
      if (sample.spec.name == name && (labels.empty() ? process.empty() : labels[0].value == process)) {
        return sample.value;
      }
    }
    return std::nullopt;
  }
};

constexpr const char* kVariance = "audio_chunk_delivery_variance_ms";
constexpr const char* kSuccess = "websocket_chunk_delivery_success_rate";
constexpr const char* kBandwidth = "network_bandwidth_mbps";
constexpr const char* kGpu = "gpu_utilization_percent";
constexpr const char* kEngine = "auralis_engine_utilization_percent";
constexpr const char* kCpu = "cpu_utilization_percent";

}  // namespace

TEST_CASE("DerivedMetrics: nothing is derived from nothing or from one sample") {
  Bench bench;
  for (const char* name : {kVariance, kSuccess, kBandwidth, kGpu, kCpu}) CHECK_FALSE(bench.metric(name));
  bench.step();
  for (const char* name : {kVariance, kSuccess, kBandwidth, kGpu, kCpu}) CHECK_FALSE(bench.metric(name));
}

TEST_CASE("DerivedMetrics: what renders is no GPU unless synthd holds memory on one") {
  Bench bench;
  bench.step(2);
  CHECK(bench.metric(kGpu));
  CHECK_FALSE(bench.metric(kEngine));
  bench.synthd.erase("gpu_memory_allocated_mb");
  bench.synthd["auralis_engine_device_busy_seconds_total"] += 0.5;
  bench.step();
  CHECK_FALSE(bench.metric(kGpu));
  REQUIRE(bench.metric(kEngine));
  CHECK(*bench.metric(kEngine) > 0);
  bench.derived.hide(Daemon::kSynthd);
  CHECK_FALSE(bench.metric(kEngine));
}

TEST_CASE("DerivedMetrics: the variance is the standard deviation of the intervals of the last minute") {
  Bench bench;
  bench.step();
  bench.interval(-10);
  bench.step();
  CHECK_FALSE(bench.metric(kVariance));  // one interval has no deviation
  for (const double deviation : {10, -10, 10}) bench.interval(deviation);
  bench.step();
  REQUIRE(bench.metric(kVariance));
  CHECK(*bench.metric(kVariance) == doctest::Approx(10));

  // A minute later only what came since counts: intervals of -3, -1, -3 and -1 ms deviate by 1 from their
  // mean.
  bench.step(60);
  CHECK_FALSE(bench.metric(kVariance));
  for (const double deviation : {-3, -1, -3, -1}) bench.interval(deviation);
  bench.step();
  REQUIRE(bench.metric(kVariance));
  CHECK(*bench.metric(kVariance) == doctest::Approx(1));
}

TEST_CASE("DerivedMetrics: the success rate is what was sent in time of what was due, over the last minute") {
  Bench bench;
  bench.step(2);
  CHECK_FALSE(bench.metric(kSuccess));
  bench.streamd["auralis_chunks_due_total"] = 50;
  bench.streamd["auralis_chunks_on_time_total"] = 30;
  bench.dropped["overrun"] = 10;
  bench.dropped["disconnect"] = 10;  // of listeners that left: no failure
  bench.step();
  REQUIRE(bench.metric(kSuccess));
  CHECK(*bench.metric(kSuccess) == doctest::Approx(75));
  bench.step(59);
  CHECK(bench.metric(kSuccess));
  bench.step(2);
  CHECK_FALSE(bench.metric(kSuccess));
}

TEST_CASE("DerivedMetrics: bandwidth and shares follow the last five seconds") {
  Bench bench;
  for (int second = 0; second < 20; ++second) {
    bench.streamd["network_bytes_sent_total"] += 250'000;
    bench.streamd["auralis_process_cpu_seconds_total"] += 0.4;
    bench.synthd["auralis_engine_device_busy_seconds_total"] += 0.25;
    bench.synthd["auralis_process_cpu_seconds_total"] += 2;
    bench.machine->busy += 300;
    bench.machine->total += 400;
    bench.step();
  }
  CHECK(*bench.metric(kBandwidth) == doctest::Approx(2));
  CHECK(*bench.metric(kGpu) == doctest::Approx(25));
  CHECK(*bench.metric(kCpu) == doctest::Approx(75));
  CHECK(*bench.metric(kCpu, "streamd") == doctest::Approx(10));
  CHECK(*bench.metric(kCpu, "synthd") == doctest::Approx(50));
  REQUIRE(bench.metric(kCpu, "metricsd"));
  CHECK(*bench.metric(kCpu, "metricsd") == doctest::Approx(0));

  bench.step(6);
  CHECK(*bench.metric(kBandwidth) == doctest::Approx(0));
  CHECK(*bench.metric(kGpu) == doctest::Approx(0));
}

TEST_CASE("DerivedMetrics: what each station counts is added up, and starts again when one goes") {
  Bench bench;
  bench.other_station = {{"network_bytes_sent_total", 1e6}, {"auralis_chunks_due_total", 0}};
  bench.step();
  bench.streamd["network_bytes_sent_total"] = 100'000;
  bench.other_station["network_bytes_sent_total"] += 150'000;
  bench.streamd["auralis_chunks_due_total"] = 10;
  bench.streamd["auralis_chunks_on_time_total"] = 30;
  bench.other_station["auralis_chunks_due_total"] = 30;
  bench.step();
  CHECK(*bench.metric(kBandwidth) == doctest::Approx(2));
  CHECK(*bench.metric(kSuccess) == doctest::Approx(75));
  bench.other_station.clear();
  bench.streamd["network_bytes_sent_total"] += 125'000;
  bench.step();
  CHECK_FALSE(bench.metric(kBandwidth));
  bench.streamd["network_bytes_sent_total"] += 125'000;
  bench.step();
  CHECK(*bench.metric(kBandwidth) == doctest::Approx(1));
}

TEST_CASE("DerivedMetrics: a share never leaves 0 to 100") {
  Bench bench;
  bench.step();
  bench.synthd["auralis_engine_device_busy_seconds_total"] = 7;
  bench.machine->busy = 500;
  bench.machine->total = 400;
  bench.step();
  CHECK(*bench.metric(kGpu) == 100);
  CHECK(*bench.metric(kCpu) == 100);
}

TEST_CASE("DerivedMetrics: counters that start again restart the metrics derived from them") {
  Bench bench;
  bench.streamd["network_bytes_sent_total"] = 1e9;
  bench.streamd["auralis_chunks_due_total"] = bench.streamd["auralis_chunks_on_time_total"] = 1e6;
  bench.step(3);
  bench.streamd["network_bytes_sent_total"] = 0;
  bench.streamd["auralis_chunks_due_total"] = bench.streamd["auralis_chunks_on_time_total"] = 0;
  bench.step();
  CHECK_FALSE(bench.metric(kBandwidth));
  bench.streamd["network_bytes_sent_total"] = 125'000;
  bench.streamd["auralis_chunks_due_total"] = bench.streamd["auralis_chunks_on_time_total"] = 4;
  bench.step();
  CHECK(*bench.metric(kBandwidth) == doctest::Approx(1));
  CHECK(*bench.metric(kSuccess) == doctest::Approx(100));
}

TEST_CASE("DerivedMetrics: a daemon that goes takes its metrics along, the others keep theirs") {
  Bench bench;
  bench.step();
  bench.streamd["auralis_chunks_due_total"] = bench.streamd["auralis_chunks_on_time_total"] = 1;
  bench.interval(1);
  bench.interval(2);
  bench.step();
  for (const char* name : {kVariance, kSuccess, kBandwidth, kGpu}) CHECK(bench.metric(name));
  bench.derived.hide(Daemon::kStreamd);
  for (const char* name : {kVariance, kSuccess, kBandwidth}) CHECK_FALSE(bench.metric(name));
  CHECK_FALSE(bench.metric(kCpu, "streamd"));
  CHECK(bench.metric(kGpu));
  CHECK(bench.metric(kCpu, "synthd"));
  bench.derived.hide(Daemon::kSynthd);
  CHECK_FALSE(bench.metric(kGpu));
  CHECK_FALSE(bench.metric(kCpu, "synthd"));
}

TEST_CASE("DerivedMetrics: what a daemon lost while it hung shows once it is back, for a minute") {
  Bench bench;
  for (int second = 0; second < 30; ++second) {
    bench.streamd["auralis_chunks_due_total"] += 10;
    bench.streamd["auralis_chunks_on_time_total"] += 10;
    for (int chunk = 0; chunk < 10; ++chunk) bench.interval(0);
    bench.step();
  }
  bench.derived.hide(Daemon::kStreamd);
  bench.now_ns += 7 * kNsPerSecond;
  bench.streamd["auralis_chunks_due_total"] += 71;
  bench.streamd["auralis_chunks_on_time_total"] += 1;
  bench.dropped["overrun"] += 70;
  bench.interval(7'000);
  bench.step();
  CHECK(*bench.metric(kSuccess) == doctest::Approx(100.0 * 291 / 361));
  CHECK(*bench.metric(kVariance) == doctest::Approx(409.2).epsilon(0.01));
  CHECK_FALSE(bench.metric(kBandwidth));  // a rate must not span the outage
  bench.step(61);
  CHECK_FALSE(bench.metric(kSuccess));
}

TEST_CASE(
    "DerivedMetrics: a counter that is not declared, or a machine that cannot be read, leaves its metric "
    "absent") {
  Bench bench;
  bench.synthd.erase("auralis_engine_device_busy_seconds_total");
  bench.machine.reset();
  bench.step(3);
  CHECK_FALSE(bench.metric(kGpu));
  CHECK_FALSE(bench.metric(kCpu));
  CHECK_FALSE(bench.metric(kCpu, "synthd"));
  CHECK(bench.metric(kBandwidth));
}

}  // namespace auralis::derived_metrics_test
