// SPDX-License-Identifier: MIT
#include "common/metrics/stage_metrics.h"

#include <doctest/doctest.h>

#include <vector>

namespace auralis::stage_metrics_test {
namespace {

struct LoopMetrics {
  explicit LoopMetrics(MetricBinder& m) : wakeup_ms(wakeup_latency(m, "loop")) {}
  Histogram wakeup_ms;
};

TEST_CASE("a step is as late as it runs after it was due; one before that is not late") {
  const auto specs = declared_metrics<LoopMetrics>();
  std::vector<SharedWord> words(shard_words(specs));
  MetricBinder binder(words.data(), words.data(), specs);
  LoopMetrics metrics(binder);
  WakeupMeter meter(metrics.wakeup_ms);
  const auto read = [&] {
    std::vector<MetricSample> samples;
    REQUIRE(read_metrics(specs, words.data(), 1, words.size(), samples));
    return samples.at(0);
  };
  meter.begin_step(5 * kNsPerSecond);  // the first
  meter.end_step(6 * kNsPerSecond);
  CHECK(read().count() == 0);
  meter.begin_step(5 * kNsPerSecond + 1);  // called before it was due
  meter.end_step(6 * kNsPerSecond);
  CHECK(read().count() == 0);
  meter.begin_step(6 * kNsPerSecond);
  meter.end_step(7 * kNsPerSecond);
  meter.begin_step(7 * kNsPerSecond + 700 * kNsPerMs);
  CHECK(read().count() == 2);
  CHECK(read().sum == 700);
  CHECK(read().buckets == std::vector<double>{1, 0, 0, 0, 0, 1, 0});
}

}  // namespace
}  // namespace auralis::stage_metrics_test
