// SPDX-License-Identifier: MIT
#include "common/metrics/metrics.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <stdexcept>

#include "common/metrics/metric_names.h"

namespace auralis::metrics_test {
namespace {

class EchoMetrics {
  MetricBinder& m_;

 public:
  explicit EchoMetrics(MetricBinder& m) : m_(m) {}
  Counter calls = m_.counter("calls_total", "Calls", {{"kind", "echo"}});
  Gauge load = m_.gauge("load", "Load");
  Histogram call_ms = m_.histogram("call_ms", "Time", {1, 10, 100});
};

constexpr std::size_t kStride = 8;  // words of EchoMetrics, and the version
constexpr std::size_t kShards = 3;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Shards as a fresh segment has them.
struct Shards {
  std::array<SharedWord, kStride * kShards> words{};
  std::vector<MetricSpec> specs = declared_metrics<EchoMetrics>();
  std::array<MetricBinder, kShards> binders{binder(0), binder(1), binder(2)};

  MetricBinder binder(std::size_t shard) {
    prepare_shard(&words[shard * kStride], specs);
    return {&words[shard * kStride], &words[shard * kStride], specs};
  }
  // False where it is absent.
  bool read(std::size_t metric, MetricSample& sample) const {
    std::vector<MetricSample> samples;
    REQUIRE(read_metrics(specs, words.data(), kShards, kStride, samples));
    for (auto& found : samples) {
      if (found.spec.name != specs[metric].name) continue;
      sample = found;
      return true;
    }
    return false;
  }
};

// Declares one counter, and requires one of another name or type.
struct RequiringMetrics {
  RequiringMetrics(MetricBinder& m, std::string name, const char* required)
      : calls(m.counter(std::move(name), "Calls")), load(m.gauge("load", "Load")) {
    m.require_counters(std::array{CounterName{required}});
  }
  Counter calls;
  Gauge load;
};

TEST_CASE("a counter that was renamed is refused by name if metrics are derived from it") {
  const auto declare = [](const char* name, const char* required) {
    return declared_metrics<RequiringMetrics>(std::string(name), required).size();
  };
  CHECK(declare("calls_total", "calls_total") == 2);
  CHECK_THROWS_WITH_AS(declare("requests_total", "calls_total"),
                       "counter calls_total is not declared, but metrics are derived from it",
                       std::logic_error);
  CHECK_THROWS_AS(declare("calls_total", "load"), std::logic_error);  // no counter
}

TEST_CASE("a class's declarations are collected in their order, with all that was said of them") {
  const auto specs = declared_metrics<EchoMetrics>();
  REQUIRE(specs.size() == 3);
  CHECK(specs[0].name == "calls_total");
  CHECK(specs[0].help == "Calls");
  CHECK(specs[0].type == MetricType::kCounter);
  REQUIRE(specs[0].labels.size() == 1);
  CHECK(specs[0].labels[0].name == "kind");
  CHECK(specs[0].labels[0].value == "echo");
  CHECK(specs[1].type == MetricType::kGauge);
  CHECK(specs[2].type == MetricType::kHistogram);
  CHECK(specs[2].bounds == std::vector<double>{1, 10, 100});
  CHECK(specs[0].words() == 1);
  CHECK(specs[2].words() == 5);
}

TEST_CASE("handles that are not bound can be used, to no effect") {
  MetricBinder collector;
  EchoMetrics metrics(collector);
  metrics.calls.add();
  metrics.load.set(1);
  metrics.call_ms.observe(1'000);
  CHECK(collector.specs().size() == 3);
}

TEST_CASE("a sparse counter is absent until any shard counts, and shows the sum from then on") {
  struct FaultMetrics {
    explicit FaultMetrics(MetricBinder& m) : faults(m.sparse_counter("faults_total", "Faults")) {}
    Counter faults;
  };
  const auto specs = declared_metrics<FaultMetrics>();
  REQUIRE(specs.size() == 1);
  CHECK(specs[0].sparse);
  std::array<SharedWord, 2 * 2> words{};
  MetricBinder first_binder(&words[0], &words[0], specs);
  MetricBinder second_binder(&words[2], &words[2], specs);
  FaultMetrics first(first_binder);
  FaultMetrics second(second_binder);
  const auto read = [&] {
    std::vector<MetricSample> samples;
    REQUIRE(read_metrics(specs, words.data(), 2, 2, samples));
    return samples;
  };
  CHECK(read().empty());
  second.faults.add();
  REQUIRE(read().size() == 1);
  CHECK(read()[0].value == 1);
  first.faults.add(2);
  CHECK(read()[0].value == 3);
}

TEST_CASE("shards add up") {
  Shards shards;
  EchoMetrics first(shards.binders[0]);
  EchoMetrics third(shards.binders[2]);
  first.calls.add();
  third.calls.add(2.5);
  first.load.set(3);
  third.load.set(4);
  first.call_ms.observe(5);
  third.call_ms.observe(5);
  CHECK(first.calls.value() == 1);

  MetricSample sample;
  REQUIRE(shards.read(0, sample));
  CHECK(sample.value == 3.5);
  CHECK(sample.spec.name == "calls_total");
  REQUIRE(shards.read(1, sample));
  CHECK(sample.value == 7);
  REQUIRE(shards.read(2, sample));
  CHECK(sample.buckets == std::vector<double>{0, 2, 0, 0});
  CHECK(sample.sum == 10);
  CHECK(sample.count() == 2);
}

TEST_CASE("a gauge is absent until a shard sets it, and again once it is cleared") {
  Shards shards;
  EchoMetrics metrics(shards.binders[1]);
  MetricSample sample;
  CHECK_FALSE(shards.read(1, sample));
  metrics.load.set(0);
  REQUIRE(shards.read(1, sample));
  CHECK(sample.value == 0);
  metrics.load.clear();
  CHECK_FALSE(shards.read(1, sample));
  metrics.load.set(std::nan(""));
  CHECK_FALSE(shards.read(1, sample));
  // A value is a number or absent.
  metrics.load.set(kInfinity);
  CHECK_FALSE(shards.read(1, sample));
  EchoMetrics(shards.binders[2]).load.set(4);
  REQUIRE(shards.read(1, sample));
  CHECK(sample.value == 4);
}

TEST_CASE("counters and histograms are there from the start, at 0") {
  const Shards shards;
  MetricSample sample;
  REQUIRE(shards.read(0, sample));
  CHECK(sample.value == 0);
  REQUIRE(shards.read(2, sample));
  CHECK(sample.buckets == std::vector<double>{0, 0, 0, 0});
  CHECK(sample.count() == 0);
}

TEST_CASE("a histogram's bounds are inclusive, and what is above the last is counted too") {
  Shards shards;
  EchoMetrics metrics(shards.binders[0]);
  for (const double value : {-1.0, 1.0, 1.0001, 10.0, 100.0, 100.5, 1e9}) metrics.call_ms.observe(value);
  MetricSample sample;
  REQUIRE(shards.read(2, sample));
  CHECK(sample.buckets == std::vector<double>{2, 2, 1, 2});
  CHECK(sample.sum == doctest::Approx(1e9 + 211.5001));
}

TEST_CASE(
    "a value is counted in the first bucket whose bound is not below it, however many bounds there are") {
  std::vector<double> bounds;
  for (std::size_t count = 0; count <= kMaxMetricBounds; ++count) {
    if (count > 0) bounds.push_back(static_cast<double>(10 * count));
    MetricBinder collector;
    collector.histogram("call_ms", "Time", bounds);
    const std::vector<MetricSpec> specs = collector.specs();
    std::vector<SharedWord> shard(shard_words(specs));
    prepare_shard(shard.data(), specs);
    MetricBinder binder(shard.data(), shard.data(), specs);
    Histogram histogram = binder.histogram("call_ms", "Time", bounds);
    for (std::size_t bucket = 0; bucket <= count; ++bucket) {
      for (const double value :
           {10.0 * static_cast<double>(bucket) + 0.5, 10.0 * static_cast<double>(bucket + 1)})
        histogram.observe(value);
    }
    std::vector<MetricSample> samples;
    REQUIRE(read_metrics(specs, shard.data(), 1, shard.size(), samples));
    CHECK(samples.at(0).buckets == std::vector<double>(count + 1, 2.0));
  }
}

TEST_CASE("what is not a number is left out of a histogram: one such value would spoil its sum for good") {
  Shards shards;
  EchoMetrics metrics(shards.binders[0]);
  for (const double value : {std::nan(""), kInfinity, -kInfinity}) metrics.call_ms.observe(value);
  metrics.call_ms.observe(2);
  MetricSample sample;
  REQUIRE(shards.read(2, sample));
  CHECK(sample.count() == 1);
  CHECK(sample.sum == 2);
}

TEST_CASE("bytes that are no numbers do not come out as such") {
  Shards shards;
  for (auto& word : shards.words) word.store(~std::uint64_t{1});
  for (std::size_t metric = 0; metric < 3; ++metric) {
    MetricSample sample;
    if (!shards.read(metric, sample)) continue;
    CHECK(std::isfinite(sample.value));
    CHECK(std::isfinite(sample.sum));
    CHECK(std::isfinite(sample.count()));
  }
}

TEST_CASE("a shard whose writer was stopped within a change gives no metrics, and its next writer goes on") {
  Shards shards;
  EchoMetrics metrics(shards.binders[1]);
  metrics.calls.add();
  std::vector<MetricSample> samples;
  {
    const MetricsUpdate unfinished(shards.binders[1]);
    metrics.calls.add();
    CHECK_FALSE(read_metrics(shards.specs, shards.words.data(), kShards, kStride, samples));
    CHECK(samples.empty());
    // The next writer of a shard that was left as it is now.
    prepare_shard(&shards.words[kStride], shards.specs);
    CHECK(read_metrics(shards.specs, shards.words.data(), kShards, kStride, samples));
    CHECK(samples.at(0).value == 2);
    shards.words[kStride].fetch_add(1);
  }
}

TEST_CASE("a class that declares otherwise than the shard was made for is refused") {
  struct Renamed {
    explicit Renamed(MetricBinder& m) : calls(m.counter("other_total", "Calls")) {}
    Counter calls;
  };
  Shards shards;
  CHECK_THROWS_AS(Renamed{shards.binders[0]}, std::logic_error);
  const EchoMetrics fits(shards.binders[1]);
  CHECK_THROWS_AS(EchoMetrics{shards.binders[1]}, std::logic_error);  // each shard is bound once
}

TEST_CASE("gauges and what counts since its label was set do not tell since when their process counts") {
  std::vector<MetricSample> samples(4);
  samples[1].spec.type = MetricType::kGauge;
  samples[2].spec.labels = {late_label("station", 0)};
  samples[3].spec.type = MetricType::kHistogram;
  samples[3].spec.labels = {{"stage", "encode"}};
  note_began(samples, 1, 7);
  CHECK(samples[0].began_unix_ns == 0);
  CHECK(samples[1].began_unix_ns == 0);
  CHECK(samples[2].began_unix_ns == 0);
  CHECK(samples[3].began_unix_ns == 7);
}

TEST_CASE("a label's value is found by its name, and that of a label that is not there is empty") {
  const std::vector<MetricLabel> labels{{"station", "night"}, {"format", "opus"}};
  CHECK(label_value(labels, "format") == "opus");
  CHECK(label_value(labels, "reason").empty());
}

TEST_CASE("more bounds or labels than an entry has room for are refused") {
  MetricBinder collector;
  CHECK_THROWS_AS(collector.histogram("h", "", std::vector<double>(kMaxMetricBounds + 1)), std::logic_error);
  const std::vector<MetricLabel> labels(kMaxMetricLabels + 1, MetricLabel{"a", ""});
  CHECK_THROWS_AS(collector.gauge("g", "", labels), std::logic_error);
}

}  // namespace
}  // namespace auralis::metrics_test
