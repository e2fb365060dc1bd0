// SPDX-License-Identifier: MIT
#include "metricsd/exemplars.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace auralis {
namespace {

constexpr std::string_view kUnderruns = "ring_buffer_underruns_total";
constexpr std::string_view kOverruns = "ring_buffer_overruns_total";
constexpr std::string_view kDelivery = "audio_chunk_delivery_latency_ms";

// No chunk is later: nothing older is kept.
constexpr double kMostMs = static_cast<double>(History::kSpanNs) / static_cast<double>(kNsPerMs);

// Of what is never negative.
double lower_bound(const std::vector<double>& bounds, std::size_t bucket) {
  return bucket == 0 ? 0 : bounds.at(bucket - 1);
}

std::vector<MetricLabel> labels_of(const StationLinks::Moment& moment) {
  std::vector<MetricLabel> labels{{"chunk", std::to_string(std::max<std::int64_t>(0, moment.chunk))}};
  if (!moment.link.empty()) labels.push_back({"link", moment.link});
  std::size_t characters = 0;
  for (const auto& label : labels) characters += label.name.size() + label.value.size();
  if (characters > Exemplars::kMostLabelCharacters) labels.pop_back();
  return labels;
}

}  // namespace

void Exemplars::note(const History& history, const std::vector<SnapshotFamily>& families) {
  const double rise = sum_rise(families);
  for (const auto& series : history.series()) {
    if (series.name == kDelivery && series.type == MetricType::kHistogram) {
      note_late(history, series, rise);
    } else if (series.name == kUnderruns || series.name == kOverruns) {
      const auto missing = static_cast<double>(history.value(series, history.newest()));
      if (missing > 0) add(history, series, 0, missing, 0);
    }
  }
  const std::int64_t oldest_ns = history.time_ns(history.newest()) - History::kSpanNs;
  exemplars_.erase(std::remove_if(exemplars_.begin(), exemplars_.end(),
                                  [&](const Exemplar& exemplar) { return exemplar.at_ns < oldest_ns; }),
                   exemplars_.end());
}

// By how much the sum of all delivery latencies rose since it was last seen. One that fell began again at 0.
double Exemplars::sum_rise(const std::vector<SnapshotFamily>& families) {
  for (const auto& family : families) {
    if (family.name != kDelivery || family.samples.empty()) continue;
    const double sum = family.samples.front().sum;
    const double before = std::exchange(last_sum_, sum);
    return sum < before ? sum : sum - before;
  }
  return 0;
}

void Exemplars::note_late(const History& history, const History::Series& series, double sum_rise) {
  std::size_t highest = series.bounds.size();
  const auto rise = [&](std::size_t bucket) {
    return static_cast<double>(history.value(series, history.newest(), bucket));
  };
  while (highest > 0 && !(rise(highest) > 0)) --highest;
  const double lower = lower_bound(series.bounds, highest);
  if (!(rise(highest) > 0) || lower < kLateMs) return;
  for (std::size_t bucket = 0; bucket < highest; ++bucket)
    sum_rise -= rise(bucket) * (lower_bound(series.bounds, bucket) + series.bounds.at(bucket)) / 2;
  const double least = std::nextafter(lower, std::numeric_limits<double>::infinity());
  const double most = highest < series.bounds.size() ? series.bounds.at(highest) : std::max(least, kMostMs);
  // In this order not even a NaN gets through: the sum is another process's.
  const double value = std::min(std::max(least, sum_rise / rise(highest)), most);
  add(history, series, highest, value,
      static_cast<std::int64_t>(std::min(value, kMostMs) * static_cast<double>(kNsPerMs)));
}

// Replaces the series' or bucket's last one. `late_ns`: since when its chunk was due.
void Exemplars::add(const History& history, const History::Series& series, std::size_t bucket, double value,
                    std::int64_t late_ns) {
  const std::int64_t at_ns = history.time_ns(history.newest());
  const auto moment = links_.moment(series.label("station"), at_ns - late_ns);
  if (!moment) return;
  exemplars_.erase(
      std::remove_if(exemplars_.begin(), exemplars_.end(),
                     [&](const Exemplar& other) { return other.is_of(series.name, series.labels, bucket); }),
      exemplars_.end());
  exemplars_.push_back({series.name, series.labels, bucket, labels_of(*moment), value, at_ns,
                        history.unix_ns(history.newest())});
}

}  // namespace auralis
