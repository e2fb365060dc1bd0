// SPDX-License-Identifier: MIT
#include "common/metrics/metrics.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

namespace auralis {
namespace {

// Copies the values of a shard as they were between two updates.
bool copy_shard(const SharedWord* shard, double* values, std::size_t words) {
  constexpr std::chrono::microseconds kPause{50};
  for (auto waited = kPause; waited <= kUpdateWait; waited += kPause) {
    // Pairs with the release store that ends an update: makes its changes visible.
    const std::uint64_t version = shard->load(std::memory_order_acquire);
    if (version % 2 == 0) {
      for (std::size_t word = 0; word < words; ++word) values[word] = load_double(shard[1 + word]);
      std::atomic_thread_fence(std::memory_order_acquire);
      if (shard->load(std::memory_order_relaxed) == version) return true;
    }
    std::this_thread::sleep_for(kPause);
  }
  return false;
}

bool carries(const MetricSpec& spec, std::size_t late_index) {
  return std::any_of(spec.labels.begin(), spec.labels.end(),
                     [&](const MetricLabel& label) { return label.late_index == late_index; });
}

// Whether all late labels of the series have a text.
bool named(const MetricSpec& spec, const LateTexts& texts) {
  return std::none_of(spec.labels.begin(), spec.labels.end(), [&](const MetricLabel& label) {
    return label.late_index && texts[*label.late_index].empty();
  });
}

// One series; `first` is its first word in the first of the shards, which lie `stride` apart.
std::optional<MetricSample> add_up(const MetricSpec& spec, const double* first, std::size_t shard_count,
                                   std::size_t stride) {
  MetricSample sample;
  if (spec.type == MetricType::kHistogram) sample.buckets.assign(spec.bounds.size() + 1, 0.0);
  bool present = spec.type != MetricType::kGauge;
  for (std::size_t shard = 0; shard < shard_count; ++shard) {
    const double* words = first + shard * stride;
    if (spec.type == MetricType::kHistogram) {
      for (std::size_t bucket = 0; bucket < sample.buckets.size(); ++bucket) {
        sample.buckets[bucket] += words[bucket];
      }
      sample.sum += words[sample.buckets.size()];
    } else if (std::isfinite(*words)) {
      sample.value += *words;
      present = true;
    }
  }
  // Skip values that are not finite (a damaged segment).
  if (!std::isfinite(sample.value) || !std::isfinite(sample.sum) || !std::isfinite(sample.count())) return {};
  if (!present || (spec.sparse && sample.value == 0)) return {};
  sample.spec = spec;
  return sample;
}

// Resets impossible values of a counter or histogram that a former writer left, or another process overwrote.
void make_possible(SharedWord* words, const MetricSpec& spec) {
  constexpr double kMostCounted = 9'007'199'254'740'992;  // 2^53
  const std::size_t counts = spec.type == MetricType::kHistogram ? spec.words() - 1 : 1;
  for (std::size_t word = 0; word < counts; ++word) {
    const double count = load_double(words[word]);
    if (!(count >= 0 && count <= kMostCounted)) store_double(words[word], 0);
  }
  if (counts < spec.words() && !std::isfinite(load_double(words[counts]))) store_double(words[counts], 0);
}

// How many of the ascending bounds are below `value`. Compares with all of them, two at a time, since a
// branch on each would be mispredicted whenever a value falls into another bucket than the one before.
std::size_t bounds_below(const double* bounds, std::size_t count, double value) {
  using Pair = double __attribute__((vector_size(2 * sizeof(double))));
  const Pair values{value, value};
  auto negative = values > values;  // minus the number of bounds below, in two parts
  std::size_t next = 0;
  for (; next + 2 <= count; next += 2) negative += values > Pair{bounds[next], bounds[next + 1]};
  const auto below = static_cast<std::size_t>(-(negative[0] + negative[1]));
  return next < count && value > bounds[next] ? below + 1 : below;
}

}  // namespace

void Histogram::observe(double value, std::int64_t count) {
  if (!std::isfinite(value)) return;
  const std::size_t bucket = bounds_below(bounds_, bound_count_, value);
  const auto number = static_cast<double>(count);
  const MetricWord counted = words_ + bucket;
  counted.store(counted.load() + number);
  const MetricWord sum = words_ + (bound_count_ + 1);
  sum.store(sum.load() + value * number);
}

MetricBinder::MetricBinder(SharedWord* own, SharedWord* shown, const std::vector<MetricSpec>& specs)
    : shard_{own, shown}, specs_(specs) {}

MetricWord MetricBinder::take(MetricSpec spec) {
  if (spec.bounds.size() > kMaxMetricBounds || spec.labels.size() > kMaxMetricLabels) {
    throw std::logic_error("metric " + spec.name + " has too many bounds or labels");
  }
  // With "not less" as the order, a bound that does not exceed its predecessor makes the sequence unsorted.
  assert(std::is_sorted(spec.bounds.begin(), spec.bounds.end(), std::less_equal<>()));
  for (const auto& label : spec.labels) {
    if (label.late_index && *label.late_index >= kLateLabels) {
      throw std::logic_error("metric " + spec.name + " has a late label beyond the last");
    }
  }
  if (shard_.own == nullptr) {
    specs_.push_back(std::move(spec));
    return {unbound_, unbound_};
  }
  if (next_ >= specs_.size() || specs_[next_].name != spec.name || specs_[next_].words() != spec.words()) {
    throw std::logic_error("metric " + spec.name + " differs from the declaration of this shard");
  }
  const MetricWord words = shard_ + offset_;
  offset_ += spec.words();
  ++next_;
  return words;
}

Counter MetricBinder::counter(std::string name, std::string help, std::vector<MetricLabel> labels) {
  Counter handle;
  handle.word_ = take({std::move(name), std::move(help), MetricType::kCounter, std::move(labels), {}});
  return handle;
}

Counter MetricBinder::sparse_counter(std::string name, std::string help, std::vector<MetricLabel> labels) {
  Counter handle;
  handle.word_ = take({std::move(name), std::move(help), MetricType::kCounter, std::move(labels), {}, true});
  return handle;
}

Gauge MetricBinder::gauge(std::string name, std::string help, std::vector<MetricLabel> labels) {
  Gauge handle;
  handle.word_ = take({std::move(name), std::move(help), MetricType::kGauge, std::move(labels), {}});
  return handle;
}

Histogram MetricBinder::histogram(std::string name, std::string help, std::vector<double> bounds,
                                  std::vector<MetricLabel> labels) {
  Histogram handle;
  handle.words_ =
      take({std::move(name), std::move(help), MetricType::kHistogram, std::move(labels), std::move(bounds)});
  if (shard_.own != nullptr) {
    const MetricSpec& declared = specs_[next_ - 1];
    handle.bounds_ = declared.bounds.data();
    handle.bound_count_ = declared.bounds.size();
  }
  return handle;
}

void MetricBinder::require_counter(std::string_view name) const {
  const bool declared = std::any_of(specs_.begin(), specs_.end(), [&](const MetricSpec& spec) {
    return spec.name == name && spec.type == MetricType::kCounter;
  });
  if (!declared)
    throw std::logic_error("counter " + std::string(name) +
                           " is not declared, but metrics are derived from it");
}

double MetricSample::count() const { return std::accumulate(buckets.begin(), buckets.end(), 0.0); }

void prepare_shard(SharedWord* shard, const std::vector<MetricSpec>& specs) {
  const std::uint64_t version = shard->load(std::memory_order_relaxed);
  shard->store(version + version % 2, std::memory_order_relaxed);
  ++shard;
  for (const auto& spec : specs) {
    if (spec.type == MetricType::kGauge) {
      // A former writer's gauges are out of date.
      store_double(*shard, std::nan(""));
    } else {
      make_possible(shard, spec);
    }
    shard += spec.words();
  }
}

void clear_late_series(SharedWord* shard, const std::vector<MetricSpec>& specs, std::size_t index) {
  ++shard;
  for (const auto& spec : specs) {
    if (carries(spec, index)) {
      const double cleared = spec.type == MetricType::kGauge ? std::nan("") : 0.0;
      for (std::size_t word = 0; word < spec.words(); ++word) store_double(shard[word], cleared);
    }
    shard += spec.words();
  }
}

bool read_metrics(const std::vector<MetricSpec>& specs, const SharedWord* shards, std::size_t shard_count,
                  std::size_t stride, std::vector<MetricSample>& samples, const LateLabels* late_labels) {
  LateTexts texts(late_labels);
  const std::size_t words = shard_words(specs) - 1;
  std::vector<double> values(shard_count * words);
  for (std::size_t shard = 0; shard < shard_count; ++shard) {
    if (!copy_shard(shards + shard * stride, &values[shard * words], words)) return false;
  }
  texts.forget_changed();
  samples.reserve(samples.size() + specs.size());
  const double* first = values.data();
  for (const auto& spec : specs) {
    auto sample = named(spec, texts) ? add_up(spec, first, shard_count, words) : std::nullopt;
    first += spec.words();
    if (!sample) continue;
    for (auto& label : sample->spec.labels) {
      if (label.late_index) label.value = texts[*label.late_index];
    }
    samples.push_back(std::move(*sample));
  }
  return true;
}

bool same_labels(const std::vector<MetricLabel>& a, const std::vector<MetricLabel>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const MetricLabel& x, const MetricLabel& y) {
    return x.name == y.name && x.value == y.value;
  });
}

std::string_view label_value(const std::vector<MetricLabel>& labels, std::string_view name) {
  const auto found = std::find_if(labels.begin(), labels.end(),
                                  [&](const MetricLabel& label) { return label.name == name; });
  return found == labels.end() ? std::string_view{} : std::string_view(found->value);
}

void note_began(std::vector<MetricSample>& samples, std::size_t first, std::int64_t unix_ns) {
  for (std::size_t index = first; index < samples.size(); ++index) {
    const MetricSpec& spec = samples[index].spec;
    const bool since_label =
        std::any_of(spec.labels.begin(), spec.labels.end(),
                    [](const MetricLabel& label) { return label.late_index.has_value(); });
    if (spec.type != MetricType::kGauge && !since_label) samples[index].began_unix_ns = unix_ns;
  }
}

}  // namespace auralis
