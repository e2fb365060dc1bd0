// SPDX-License-Identifier: MIT
#include "common/metrics.h"

#include <numeric>
#include <stdexcept>
#include <utility>

namespace auralis {

void Histogram::observe(double value) {
  if (!std::isfinite(value)) return;
  std::size_t bucket = 0;
  while (bucket < bound_count_ && value > bounds_[bucket]) ++bucket;
  store_double(words_[bucket], load_double(words_[bucket]) + 1);
  SharedWord& sum = words_[bound_count_ + 1];
  store_double(sum, load_double(sum) + value);
}

MetricBinder::MetricBinder(SharedWord* lane, const std::vector<MetricSpec>& specs)
    : lane_(lane), specs_(specs) {}

SharedWord* MetricBinder::take(MetricSpec spec) {
  if (spec.bounds.size() > kMaxMetricBounds || spec.labels.size() > kMaxMetricLabels) {
    throw std::logic_error("metric " + spec.name + " has too many bounds or labels");
  }
  if (lane_ == nullptr) {
    specs_.push_back(std::move(spec));
    return unbound_;
  }
  if (next_ >= specs_.size() || specs_[next_].name != spec.name || specs_[next_].words() != spec.words()) {
    throw std::logic_error("metric " + spec.name + " is not what this lane was declared with");
  }
  SharedWord* words = lane_ + offset_;
  offset_ += spec.words();
  ++next_;
  return words;
}

Counter MetricBinder::counter(std::string name, std::string help, std::vector<MetricLabel> labels) {
  Counter handle;
  handle.word_ = take({std::move(name), std::move(help), MetricType::kCounter, std::move(labels), {}});
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
  if (lane_ != nullptr) {
    const MetricSpec& declared = specs_[next_ - 1];
    handle.bounds_ = declared.bounds.data();
    handle.bound_count_ = declared.bounds.size();
  }
  return handle;
}

double MetricSample::count() const { return std::accumulate(buckets.begin(), buckets.end(), 0.0); }

bool read_metric(const MetricSpec& spec, const SharedWord* lanes, std::size_t lane_count,
                 std::size_t lane_words, std::size_t offset, MetricSample& sample) {
  sample = {};
  if (spec.type == MetricType::kHistogram) sample.buckets.assign(spec.bounds.size() + 1, 0.0);
  bool present = spec.type != MetricType::kGauge;
  for (std::size_t lane = 0; lane < lane_count; ++lane) {
    const SharedWord* words = lanes + lane * lane_words + offset;
    if (spec.type == MetricType::kHistogram) {
      for (std::size_t bucket = 0; bucket < sample.buckets.size(); ++bucket) {
        sample.buckets[bucket] += load_double(words[bucket]);
      }
      sample.sum += load_double(words[sample.buckets.size()]);
      continue;
    }
    const double value = load_double(*words);
    if (!std::isfinite(value)) continue;
    sample.value += value;
    present = true;
  }
  // Bytes that are no numbers (a damaged segment) do not come out as a figure.
  if (!std::isfinite(sample.value) || !std::isfinite(sample.sum) || !std::isfinite(sample.count()))
    return false;
  if (present) sample.spec = spec;
  return present;
}

}  // namespace auralis
