// SPDX-License-Identifier: MIT
// Metrics that are cheap to update. A daemon declares its metrics once, as the members of a class:
//
//     class EchoMetrics {
//       MetricBinder& m_;
//      public:
//       explicit EchoMetrics(MetricBinder& m) : m_(m) {}
//       Counter calls = m_.counter("echo_calls_total", "Calls answered");
//       Histogram call_ms = m_.histogram("echo_call_ms", "Time a call took, in milliseconds", {1, 10, 100});
//     };
//
// The declarations are written into the segment (metrics_segment.h), so readers need no metric's name. Each
// thread has its own shard, an instance of that class: an update is a relaxed load and store of a private
// word, and a store of the same value to the word that readers see. The writer never trusts a shared word:
// the next update, or MetricsWriter::run_housekeeping(), restores what another process overwrote. Readers add
// up the shards. Metrics that must be consistent with each other at every moment are changed within one
// MetricsUpdate. A label whose value is known only at run time is a late label.
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
  std::string value;                        // of a late label: empty when declared, its text when read
  std::optional<std::size_t> late_index{};  // below kLateLabels; none: the value is constant
};

// A label whose value is the current text of late label `index` of the segment.
inline MetricLabel late_label(std::string name, std::size_t index) { return {std::move(name), {}, index}; }

// Whether the names and values are the same, in that order.
bool same_labels(const std::vector<MetricLabel>& a, const std::vector<MetricLabel>& b);

// The value of the label of that name; empty if there is none. Valid as long as `labels` is unchanged.
std::string_view label_value(const std::vector<MetricLabel>& labels, std::string_view name);

// The declaration of one time series.
struct MetricSpec {
  std::string name;
  std::string help;
  MetricType type = MetricType::kCounter;
  std::vector<MetricLabel> labels;  // at most kMaxMetricLabels
  std::vector<double> bounds;       // of a histogram: upper bounds, ascending, without infinity
  bool sparse{};                    // of a counter: absent for readers while it is 0

  // Number of words in a shard: a value, or a count for each bucket (including infinity's) and the sum.
  std::size_t words() const { return type == MetricType::kHistogram ? bounds.size() + 2 : 1; }
};

inline constexpr std::size_t kMaxMetricLabels = 4;
inline constexpr std::size_t kMaxMetricBounds = 24;

// A word holds a double. An unset gauge holds NaN, which means "absent" for readers.
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

// A word of a shard: the writer's private one, and the one that readers see.
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
  // A value that is not finite makes the gauge absent for readers, as clear() does.
  void set(double value) { word_.store(std::isfinite(value) ? value : std::nan("")); }
  // Likewise no value.
  void set(const std::optional<double>& value) { set(value.value_or(std::nan(""))); }
  // Makes the gauge absent for readers: its value is unavailable.
  void clear() { set(std::nan("")); }

 private:
  friend class MetricBinder;
  MetricWord word_;
};

class Histogram {
 public:
  // Counts `value` in the first bucket whose bound is not below it. Ignores a value that is not finite: it
  // would corrupt the sum permanently.
  void observe(double value) { observe(value, 1); }
  // As `count` values that are the same.
  void observe(double value, std::int64_t count);
  // Of all values.
  double sum() const { return (words_ + bound_count_ + 1).load(); }

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

// Prepares a shard for a writer; it holds zeros, or the values of a former writer that may have been killed
// during an update. Counters and histograms continue, gauges are absent. An impossible count (below 0, above
// 2^53, not finite) restarts at 0.
void prepare_shard(SharedWord* shard, const std::vector<MetricSpec>& specs);

// Resets the series of a shard that carry late label `index`: counters and histograms to 0, gauges to absent.
// Only by the thread that writes these series, whichever thread owns the shard.
void clear_late_series(SharedWord* shard, const std::vector<MetricSpec>& specs, std::size_t index);

// Either collects the declarations of a metrics class (no memory given), or binds the class's handles to a
// shard.
class MetricBinder {
 public:
  // Collects.
  MetricBinder() = default;
  // Binds to a prepared private shard and to the one that readers see, which may be the same; `specs` must be
  // the declarations of the same class.
  MetricBinder(SharedWord* own, SharedWord* shown, const std::vector<MetricSpec>& specs);

  Counter counter(std::string name, std::string help, std::vector<MetricLabel> labels = {});
  // A counter of a rare fault, absent for readers until it counts: a fault that each of many stations can
  // have then costs no series for those that never had it. Prometheus' rate() and increase() miss the
  // increment that the series appears with: alert on `increase(x[5m]) > 0 or (x unless x offset 5m)`.
  Counter sparse_counter(std::string name, std::string help, std::vector<MetricLabel> labels = {});
  Gauge gauge(std::string name, std::string help, std::vector<MetricLabel> labels = {});
  Histogram histogram(std::string name, std::string help, std::vector<double> bounds,
                      std::vector<MetricLabel> labels = {});

  // Throws std::logic_error, with the name, if a counter of `names` is not declared. Call it at the end of a
  // metrics class's constructor, for counters that other code looks up by name.
  template <typename Names>
  void require_counters(const Names& names) const {
    for (const auto& counter : names) require_counter(counter.name);
  }

  const std::vector<MetricSpec>& specs() const { return specs_; }

 private:
  friend class MetricsUpdate;
  void require_counter(std::string_view name) const;
  MetricWord take(MetricSpec spec);

  MetricWord shard_;
  std::vector<MetricSpec> specs_;
  std::size_t next_ = 0;
  std::size_t offset_ = 1;                         // word of the shard for the next handle
  SharedWord unbound_[kMaxMetricBounds + 2] = {};  // target of handles while collecting
  SharedWord unbound_version_{0};
};

// Makes changes to its binder's shard atomic for readers: they see none of them during its lifetime, and all
// of them after it. The shard's thread only; cannot be nested. Costs four relaxed stores.
class MetricsUpdate {
 public:
  explicit MetricsUpdate(MetricBinder& binder)
      : own_(binder.shard_.own != nullptr ? *binder.shard_.own : binder.unbound_version_),
        shown_(binder.shard_.own != nullptr ? *binder.shard_.shown : binder.unbound_version_),
        version_(own_.load(std::memory_order_relaxed) + 1) {
    assert(version_ % 2 == 1);  // no other update of this shard is in progress
    own_.store(version_, std::memory_order_relaxed);
    shown_.store(version_, std::memory_order_relaxed);
    // Pairs with the acquire fence of readers: a reader that saw a change sees the odd version before it.
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

// One series, summed over the shards.
struct MetricSample {
  MetricSpec spec;
  double value = 0;             // counter, gauge
  std::vector<double> buckets;  // histogram: count per bucket, not cumulative; the last is infinity's
  double sum = 0;               // histogram
  // Counter, histogram: wall time at which it began to count, at 0; 0: unknown. See note_began().
  std::int64_t began_unix_ns{};
  double count() const;  // histogram: all buckets
};

// Appends the sums of `shard_count` shards that are `stride` words apart, each read between two updates. Late
// labels have their texts as values. Omits gauges that no shard has set, sparse counters at 0, values that
// are not finite, and series whose late label is empty (`late_labels` null: all are) or changed during the
// read. Returns false and appends nothing if a shard's update does not end within kUpdateWait: its writer was
// stopped during it. Sleeps; not for the audio path.
bool read_metrics(const std::vector<MetricSpec>& specs, const SharedWord* shards, std::size_t shard_count,
                  std::size_t stride, std::vector<MetricSample>& samples,
                  const LateLabels* late_labels = nullptr);

inline constexpr std::chrono::milliseconds kUpdateWait{100};

// Notes in the samples from index `first` on that their process has counted since `unix_ns`: in counters and
// histograms, except those with a late label, which count since their label was set.
void note_began(std::vector<MetricSample>& samples, std::size_t first, std::int64_t unix_ns);

}  // namespace auralis
