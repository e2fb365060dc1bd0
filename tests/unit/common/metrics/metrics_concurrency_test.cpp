// SPDX-License-Identifier: MIT
#include "common/metrics/metrics_segment.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace auralis::metrics_concurrency_test {
namespace {

class WorkMetrics {
  MetricBinder& m_;

 public:
  explicit WorkMetrics(MetricBinder& m) : m_(m) {}
  Counter done = m_.counter("done_total", "Done");
  Gauge at = m_.gauge("at", "At");
  Histogram ms = m_.histogram("ms", "Time", {1, 10});
};

// A station of many names, and one that keeps its own.
class StationsMetrics {
  MetricBinder& m_;
  const std::vector<MetricLabel> renamed_{late_label("station", 0)};
  const std::vector<MetricLabel> kept_{late_label("station", 1)};

 public:
  explicit StationsMetrics(MetricBinder& m) : m_(m) {
    // Never set: clearing them takes as long as a reader needs to read all.
    for (int i = 0; i < 200; ++i) m_.gauge("unset" + std::to_string(i), "Unset", renamed_);
  }
  Counter done = m_.counter("done_total", "Done", renamed_);
  Gauge round = m_.gauge("round", "Round", renamed_);
  Histogram ms = m_.histogram("ms", "Time", {1, 10}, renamed_);
  Counter all = m_.counter("all_total", "All", kept_);
};

constexpr std::size_t kShards = 3;
constexpr int kWork = 200'000;
constexpr int kRounds = 10'000;
constexpr int kWorkOfRound = 500;

// In each round the station has the number of the round as its name, and counts in steps of it. Now and then
// it has none.
void count_by_name(MetricsWriter& writer) {
  StationsMetrics metrics(writer.shard(1));
  writer.set_late_label(1, "kept");
  for (int round = 1; round <= kRounds; ++round) {
    writer.set_late_label(0, round % 5 == 0 ? "" : std::to_string(round));
    for (int i = 0; i < kWorkOfRound; ++i) {
      metrics.round.set(round);
      metrics.done.add(round);
      metrics.ms.observe(round % 2 == 0 ? 0.5 : 20);
      metrics.all.add();
    }
  }
}

// Faults found in the metrics that were read under names.
struct NameTally {
  int named = 0;
  int without_name = 0;
  int of_another = 0;
  int falling = 0;

  void add(const MetricSample& sample) {
    const std::string& name = sample.spec.labels.at(0).value;
    if (name == "kept") {
      falling += sample.value < all_ ? 1 : 0;
      all_ = sample.value;
      return;
    }
    if (name.empty()) {
      ++without_name;
      return;
    }
    ++named;
    const int round = std::stoi(name);
    if (sample.spec.name == "round") of_another += sample.value != round ? 1 : 0;
    if (sample.spec.name == "ms") of_another += sample.buckets.at(round % 2 == 0 ? 2 : 0) != 0 ? 1 : 0;
    if (sample.spec.name != "done_total") return;
    const double steps = sample.value / round;
    of_another += steps > kWorkOfRound || steps != static_cast<int>(steps) ? 1 : 0;
    falling += round == round_ && sample.value < done_ ? 1 : 0;
    round_ = round;
    done_ = sample.value;
  }

 private:
  int round_ = 0;
  double done_ = 0;
  double all_ = 0;
};

TEST_CASE(
    "while each thread counts in its own shard, a reader sees metrics that only rise, those that change "
    "together never apart, and at last all of them") {
  const test::TempDir dir;
  MetricsWriter writer(dir.path(), declared_metrics<WorkMetrics>(), kShards, 1);
  std::atomic<int> working{kShards};
  std::vector<std::thread> threads;
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    threads.emplace_back([&, shard] {
      WorkMetrics metrics(writer.shard(shard));
      for (int i = 0; i < kWork; ++i) {
        {
          const MetricsUpdate together(writer.shard(shard));
          metrics.done.add();
          metrics.at.set(1);
          metrics.ms.observe(i % 2 == 0 ? 0.5 : 20);
        }
        if (shard == 0) writer.beat(i);  // by one thread
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
        plausible = plausible && sample.value >= 1 && sample.value <= kShards;
    }
  }
  for (auto& thread : threads) thread.join();
  CHECK(rising);
  CHECK(plausible);
  CHECK(agreeing);
  CHECK(done == kShards * kWork);
  REQUIRE(samples.size() == 3);
  CHECK(samples[1].value == kShards);
  CHECK(samples[2].buckets == std::vector<double>{kShards * kWork / 2.0, 0, kShards * kWork / 2.0});
  CHECK(samples[2].sum == kShards * kWork / 2.0 * 20.5);
}

TEST_CASE(
    "while a thread renames a station and counts for it, a reader never sees one's counts under another's "
    "name") {
  const test::TempDir dir;
  MetricsWriter writer(dir.path(), declared_metrics<StationsMetrics>(), kShards, 1);
  MetricsReader reader(dir.path());
  REQUIRE(reader.refresh());
  std::atomic<bool> working{true};
  std::thread thread([&] {
    count_by_name(writer);
    working = false;
  });
  NameTally tally;
  std::vector<MetricSample> samples;
  while (working) {
    samples.clear();
    reader.read(samples);
    for (const auto& sample : samples) tally.add(sample);
  }
  thread.join();
  CHECK(tally.named > 0);
  CHECK(tally.without_name == 0);
  CHECK(tally.of_another == 0);
  CHECK(tally.falling == 0);
  samples.clear();
  reader.read(samples);
  REQUIRE(samples.size() == 1);  // the last round has no name
  CHECK(samples[0].value == kRounds * kWorkOfRound);
}

}  // namespace
}  // namespace auralis::metrics_concurrency_test
