// SPDX-License-Identifier: MIT
// Metrics that cost their writer nothing. A daemon declares its figures once, as the members of a class:
//
//     class EchoMetrics {
//       MetricBinder& m_;
//      public:
//       explicit EchoMetrics(MetricBinder& m) : m_(m) {}
//       Counter calls = m_.counter("echo_calls_total", "Calls answered");
//       Histogram call_ms = m_.histogram("echo_call_ms", "Time a call took, in milliseconds", {1, 10, 100});
//     };
//
// The declarations are written into the segment (metrics_segment.h), so readers know no metric by name. Every
// thread has a shard, an instance of that class of its own: an update is a relaxed load and store to a word
// that nobody else writes, and a store of the same value to the word that readers see. So the writer never
// believes a shared word, and what another process writes over one is put right by the next update, or by
// MetricsWriter::run_housekeeping(). Readers add the shards up. Figures that must agree with one another at
// every moment are changed within one MetricsUpdate. A label whose value is known only at run time is a late
// label.
#pragma once

#include <cassert>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/metrics/late_labels.h"
#include "common/segments/shared_words.h"

namespace auralis {

enum class MetricType : std::uint32_t { kCounter = 1, kGauge = 2, kHistogram = 3 };

struct MetricLabel {
  std::string name;
  std::string value;                        // of a late label: empty as declared, its text as read
  std::optional<std::size_t> late_index{};  // below kLateLabels; none: the value is constant
};

// A label whose value is the text that late label `index` of the segment has at the time.
inline MetricLabel late_label(std::string name, std::size_t index) { return {std::move(name), {}, index}; }

// One time series as declared.
struct MetricSpec {
  std::string name;
  std::string help;
  MetricType type = MetricType::kCounter;
  std::vector<MetricLabel> labels;  // at most kMaxMetricLabels
  std::vector<double> bounds;       // of a histogram: upper bounds, rising, without infinity

  // Words it takes in a shard: a value, or a count for each bucket (with the one of infinity) and the sum.
  std::size_t words() const { return type == MetricType::kHistogram ? bounds.size() + 2 : 1; }
};

inline constexpr std::size_t kMaxMetricLabels = 2;
inline constexpr std::size_t kMaxMetricBounds = 24;

// A word holds a double. An unset gauge holds NaN, which readers take for "absent".
inline double load_double(const SharedWord& word) {
  const std::uint64_t bits = word.load(std::memory_order_relaxed);
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
inline void store_double(SharedWord& word, double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  word.store(bits, std::memory_order_relaxed);
}

// A word of a shard: the writer's own, and the one that readers see.
struct MetricWord {
  SharedWord* own = nullptr;
  SharedWord* shown = nullptr;

  double load() const { return load_double(*own); }
  void store(double value) const {
    store_double(*own, value);
    store_double(*shown, value);
  }
  MetricWord operator+(std::size_t words) const { return {own + words, shown + words}; }
};

// Handles: one thread each, valid while their binder and the shard's memory are. Counts are exact up to 2^53.
class Counter {
 public:
  void add(double amount = 1) { word_.store(word_.load() + amount); }
  double value() const { return word_.load(); }

 private:
  friend class MetricBinder;
  MetricWord word_;
};

class Gauge {
 public:
  void set(double value) { word_.store(value); }
  // The figure cannot be had: absent for readers.
  void clear() { word_.store(std::nan("")); }

 private:
  friend class MetricBinder;
  MetricWord word_;
};

class Histogram {
 public:
  // Counts `value` in the first bucket whose bound is not below it. What is not finite is left out: it would
  // spoil the sum for good.
  void observe(double value);

 private:
  friend class MetricBinder;
  MetricWord words_;  // counts of the buckets, count over the last bound, sum
  const double* bounds_ = nullptr;
  std::size_t bound_count_ = 0;
};

// A shard: a version, odd during a MetricsUpdate, then the words of every metric in the order of declaration.
inline std::size_t shard_words(const std::vector<MetricSpec>& specs) {
  std::size_t words = 1;
  for (const auto& spec : specs) words += spec.words();
  return words;
}

// Makes a shard of zeros, or of a former writer that may have been killed within an update, ready for a
// writer: counters and histograms go on, gauges are absent. A count that no writer counts to (below 0, above
// 2^53, not finite) begins again at 0.
void prepare_shard(SharedWord* shard, const std::vector<MetricSpec>& specs);

// In a shard: the counters and histograms that carry late label `index` begin at 0 again, its gauges are
// absent. For the one thread that writes these series, whosever the shard is.
void clear_late_series(SharedWord* shard, const std::vector<MetricSpec>& specs, std::size_t index);

// Either collects the declarations of a metrics class (no memory given), or binds the class's handles to a
// shard.
class MetricBinder {
 public:
  // Collects.
  MetricBinder() = default;
  // Binds to a prepared shard, which is the writer's own, and to the one that readers see, which may be the
  // same; `specs` must be what the same class declared.
  MetricBinder(SharedWord* own, SharedWord* shown, const std::vector<MetricSpec>& specs);

  Counter counter(std::string name, std::string help, std::vector<MetricLabel> labels = {});
  Gauge gauge(std::string name, std::string help, std::vector<MetricLabel> labels = {});
  Histogram histogram(std::string name, std::string help, std::vector<double> bounds,
                      std::vector<MetricLabel> labels = {});

  // Throws std::logic_error, which names it, if a counter of `names` is not declared. At the end of a
  // constructor that declares, for counters that other code looks up by name.
  template <typename Names>
  void require_counters(const Names& names) const {
    for (const auto& name : names) require_counter(name);
  }

  const std::vector<MetricSpec>& specs() const { return specs_; }

 private:
  friend class MetricsUpdate;
  void require_counter(std::string_view name) const;
  MetricWord take(MetricSpec spec);

  MetricWord shard_;
  std::vector<MetricSpec> specs_;
  std::size_t next_ = 0;
  std::size_t offset_ = 1;                         // word of the shard that the next handle gets
  SharedWord unbound_[kMaxMetricBounds + 2] = {};  // where handles point while collecting
  SharedWord unbound_version_{0};
};

// While it lives, readers see none of the changes made to its binder's shard; then all of them at once. The
// shard's thread; one at a time (they do not nest). Costs four relaxed stores.
class MetricsUpdate {
 public:
  explicit MetricsUpdate(MetricBinder& binder)
      : own_(binder.shard_.own != nullptr ? *binder.shard_.own : binder.unbound_version_),
        shown_(binder.shard_.own != nullptr ? *binder.shard_.shown : binder.unbound_version_),
        version_(own_.load(std::memory_order_relaxed) + 1) {
    assert(version_ % 2 == 1);  // no other update of this shard lives
    own_.store(version_, std::memory_order_relaxed);
    shown_.store(version_, std::memory_order_relaxed);
    // Pairs with the acquire fence of readers: who saw a change sees the odd version before it.
    std::atomic_thread_fence(std::memory_order_release);
  }
  ~MetricsUpdate() {
    own_.store(version_ + 1, std::memory_order_relaxed);
    shown_.store(version_ + 1, std::memory_order_release);
  }
  MetricsUpdate(const MetricsUpdate&) = delete;
  MetricsUpdate& operator=(const MetricsUpdate&) = delete;

 private:
  SharedWord& own_;
  SharedWord& shown_;
  std::uint64_t version_;  // odd
};

// The declarations of a metrics class, in order. Extra arguments go to its constructor after the binder.
template <typename Metrics, typename... Args>
std::vector<MetricSpec> declared_metrics(const Args&... args) {
  MetricBinder collector;
  const Metrics metrics(collector, args...);
  return collector.specs();
}

// One series as read: the shards added up.
struct MetricSample {
  MetricSpec spec;
  double value = 0;             // counter, gauge
  std::vector<double> buckets;  // histogram: count a bucket, not cumulative; the last is infinity's
  double sum = 0;               // histogram
  double count() const;         // histogram: all buckets
};

// Appends the figures of `shard_count` shards that lie `stride` words apart, added up: each shard as it was
// at one moment, between two updates. Late labels have their texts as values. Left out: a gauge that no shard
// has set, what is not a finite number, and a series whose late label is empty (`late_labels` null: all are)
// or changed while its figures were read. False, and nothing appended, where a shard's update does not end
// within kUpdateWait: its writer was stopped within. Sleeps; not for the audio path.
bool read_metrics(const std::vector<MetricSpec>& specs, const SharedWord* shards, std::size_t shard_count,
                  std::size_t stride, std::vector<MetricSample>& samples,
                  const LateLabels* late_labels = nullptr);

inline constexpr std::chrono::milliseconds kUpdateWait{100};

}  // namespace auralis
