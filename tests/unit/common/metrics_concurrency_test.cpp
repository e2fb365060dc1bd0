// SPDX-License-Identifier: MIT
#include "common/metrics_segment.h"

#include "support.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace auralis {
namespace {

class WorkMetrics {
  MetricBinder& m_;

 public:
  explicit WorkMetrics(MetricBinder& m) : m_(m) {}
  Counter done = m_.counter("done_total", "Done");
  Gauge at = m_.gauge("at", "At");
  Histogram ms = m_.histogram("ms", "Time", {1, 10});
};

constexpr std::size_t kLanes = 3;
constexpr int kWork = 200'000;

TEST_CASE(
    "while each thread counts in its own lane, a reader sees figures that only rise, those that change "
    "together never apart, and at last all of them") {
  const test::TempDir dir;
  MetricsWriter writer(dir.path(), declared_metrics<WorkMetrics>(), kLanes, 1);
  std::atomic<int> working{kLanes};
  std::vector<std::thread> threads;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    threads.emplace_back([&, lane] {
      WorkMetrics metrics(writer.lane(lane));
      for (int i = 0; i < kWork; ++i) {
        {
          const MetricsUpdate together(writer.lane(lane));
          metrics.done.add();
          metrics.at.set(1);
          metrics.ms.observe(i % 2 == 0 ? 0.5 : 20);
        }
        writer.beat(i);
      }
      --working;
    });
  }

  MetricsReader reader(dir.path());
  REQUIRE(reader.refresh());
  std::vector<MetricSample> samples;
  double done = 0;
  double count = 0;
  bool rising = true;
  bool plausible = true;
  bool agreeing = true;
  for (bool last = false; !last;) {
    // Looked at before the reading: so the last reading is one of all the work.
    last = working == 0;
    samples.clear();
    reader.read(samples);
    if (samples.empty()) continue;  // every attempt met an update
    const auto& histogram = samples.back();
    rising = rising && samples.front().value >= done && histogram.count() >= count;
    done = samples.front().value;
    count = histogram.count();
    agreeing = agreeing && done == count;
    for (const auto& sample : samples) {
      if (sample.spec.type == MetricType::kGauge)
        plausible = plausible && sample.value >= 1 && sample.value <= kLanes;
    }
  }
  for (auto& thread : threads) thread.join();
  CHECK(rising);
  CHECK(plausible);
  CHECK(agreeing);
  CHECK(done == kLanes * kWork);
  REQUIRE(samples.size() == 3);
  CHECK(samples[1].value == kLanes);
  CHECK(samples[2].buckets == std::vector<double>{kLanes * kWork / 2.0, 0, kLanes * kWork / 2.0});
  CHECK(samples[2].sum == kLanes * kWork / 2.0 * 20.5);
}

}  // namespace
}  // namespace auralis
