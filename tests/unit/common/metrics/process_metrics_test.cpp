// SPDX-License-Identifier: MIT
#include "common/metrics/process_metrics.h"

#include "common/metrics/metrics_segment.h"
#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <sys/resource.h>

#include <ctime>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace auralis::process_metrics_test {
namespace {

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::map<std::string, MetricSample> by_name(std::vector<MetricSample> samples) {
  std::map<std::string, MetricSample> found;
  for (auto& sample : samples) found[sample.spec.name] = std::move(sample);
  return found;
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

TEST_CASE("a process measures its own memory and processor time") {
  const test::TempDir dir;
  MetricsWriter writer(dir.path(), declared_metrics<ProcessMetrics>("echod"), 1, 1);
  ProcessMetrics metrics(writer.shard(0), "echod");
  MetricsReader reader(dir.path());
  reader.refresh();
  const auto read = [&] {
    std::vector<MetricSample> samples;
    reader.read(samples);
    return samples;
  };
  // Gauges are absent until they are measured.
  CHECK(read().size() == 3);

  while (processor_seconds() < 0.05) {
  }
  const double before = processor_seconds();
  const double now = seconds_of(CLOCK_REALTIME);
  set_build_labels(writer);
  metrics.begin();
  metrics.sample();
  auto samples = by_name(read());
  CHECK(samples.at("memory_usage_mb").spec.labels[0].value == "echod");
  CHECK(samples.at("memory_usage_mb").value > 0.5);
  CHECK(samples.at("memory_usage_mb").value < 10'000);
  // The two clocks of the kernel may differ by a tick.
  CHECK(samples.at("auralis_process_cpu_seconds_total").value >= before - 0.01);
  CHECK(samples.at("auralis_process_cpu_seconds_total").value <= processor_seconds() + 0.01);
  CHECK(samples.at("auralis_log_messages_dropped_total").value == 0);
  CHECK(samples.at("auralis_daemon_starts_total").value == 1);
  CHECK(samples.at("process_start_time_seconds").value <= now);
  CHECK(samples.at("process_start_time_seconds").value > now - 3'600);
  CHECK(samples.at("process_threads").value >= 1);
  CHECK(samples.at("process_open_fds").value >= 3);
  const double open_before = samples.at("process_open_fds").value;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  CHECK(samples.at("process_max_fds").value == static_cast<double>(limit.rlim_cur));
  const auto& build = samples.at("auralis_build_info").spec.labels;
  REQUIRE(build.size() == 4);
  CHECK(build[1].value == build_version());
  CHECK(build[2].value == build_commit());
  CHECK(build[3].value == build_compiler());

  // CPU time is a count: a second look adds what has passed since, not all again.
  const std::ifstream one_more("/dev/null");
  metrics.sample();
  samples = by_name(read());
  CHECK(samples.at("auralis_process_cpu_seconds_total").value <= processor_seconds() + 0.01);
  CHECK(samples.at("process_open_fds").value == open_before + 1);
}

TEST_CASE("the kinds of resident memory add up to it") {
  const test::TempDir dir;
  MetricsWriter writer(dir.path(), declared_metrics<ProcessMetrics>("echod"), 1, 1);
  ProcessMetrics metrics(writer.shard(0), "echod");
  metrics.sample();
  MetricsReader reader(dir.path());
  reader.refresh();
  std::vector<MetricSample> samples;
  reader.read(samples);
  double all = 0;
  double parts = 0;
  for (const auto& sample : samples) {
    if (sample.spec.name == "memory_usage_mb") all = sample.value;
    if (sample.spec.name == "auralis_memory_mb") parts += sample.value;
  }
  CHECK(all > 0);
  CHECK(parts == doctest::Approx(all).epsilon(0.001));
}

TEST_CASE("a start is counted on, from what former processes counted") {
  const test::TempDir dir;
  const auto start = [&] {
    MetricsWriter writer(dir.path(), declared_metrics<ProcessMetrics>("echod"), 1, 1);
    ProcessMetrics metrics(writer.shard(0), "echod");
    metrics.begin();
    return metrics.starts.value();
  };
  CHECK(start() == 1);
  CHECK(start() == 2);
}

TEST_CASE("the last load of the configuration is known: the start's, then that of each reload") {
  const test::TempDir dir;
  MetricsWriter writer(dir.path(), declared_metrics<ProcessMetrics>("echod"), 1, 1);
  ProcessMetrics metrics(writer.shard(0), "echod");
  MetricsReader reader(dir.path());
  reader.refresh();
  const auto read = [&] {
    std::vector<MetricSample> samples;
    reader.read(samples);
    return by_name(std::move(samples));
  };
  const double begin = seconds_of(CLOCK_REALTIME);
  metrics.begin();
  auto samples = read();
  CHECK(samples.at("auralis_config_last_reload_successful").value == 1);
  const double started = samples.at("auralis_config_last_reload_timestamp_seconds").value;
  CHECK(started >= begin);
  metrics.note_reload(false);
  samples = read();
  CHECK(samples.at("auralis_config_last_reload_successful").value == 0);
  CHECK(samples.at("auralis_config_last_reload_timestamp_seconds").value > started);
  CHECK(samples.at("auralis_config_last_reload_timestamp_seconds").value <= seconds_of(CLOCK_REALTIME));
  metrics.note_reload(true);
  CHECK(read().at("auralis_config_last_reload_successful").value == 1);
}

}  // namespace
}  // namespace auralis::process_metrics_test
