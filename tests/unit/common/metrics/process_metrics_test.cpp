// SPDX-License-Identifier: MIT
#include "common/metrics/process_metrics.h"

#include "common/metrics/metrics_segment.h"
#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <ctime>

namespace auralis::process_metrics_test {
namespace {

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
  // Memory is a gauge, and absent until it is measured.
  CHECK(read().size() == 2);

  while (processor_seconds() < 0.05) {
  }
  const double before = processor_seconds();
  metrics.sample();
  const auto samples = read();
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].spec.name == "memory_usage_mb");
  CHECK(samples[0].spec.labels[0].value == "echod");
  CHECK(samples[0].value > 0.5);
  CHECK(samples[0].value < 10'000);
  CHECK(samples[1].spec.name == "auralis_process_cpu_seconds_total");
  // The two clocks of the kernel may differ by a tick.
  CHECK(samples[1].value >= before - 0.01);
  CHECK(samples[1].value <= processor_seconds() + 0.01);
  CHECK(samples[2].value == 0);

  // It is a count: a second look adds what has passed since, not all again.
  metrics.sample();
  CHECK(read()[1].value <= processor_seconds() + 0.01);
}

}  // namespace
}  // namespace auralis::process_metrics_test
