// SPDX-License-Identifier: MIT
#include "metricsd/history.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>

#include "common/metrics/metric_names.h"

namespace auralis {
namespace {

// Metrics that the panels, the conditions and the events are made of.
constexpr std::array<std::string_view, 49> kTracked{
    "audio_synthesis_latency_ms",
    "audio_chunk_delivery_latency_ms",
    "audio_chunk_jitter_ms",
    "audio_chunk_delivery_variance_ms",
    "websocket_connection_duration_seconds",
    "ring_buffer_depth_ms",
    "ring_buffer_utilization_percent",
    "ring_buffer_underruns_total",
    "ring_buffer_overruns_total",
    "websocket_active_connections",
    "websocket_connections_total",
    "websocket_disconnections_total",
    "websocket_connections_rejected_total",
    "websocket_chunks_sent_total",
    "websocket_send_errors_total",
    "websocket_chunks_dropped_total",
    "auralis_chunks_due_total",
    "auralis_chunks_on_time_total",
    kChunksUncounted,
    "auralis_audio_loudness_lufs",
    "auralis_audio_silence_seconds_total",
    "auralis_chunk_handover_latency_ms",
    "auralis_daemon_starts_total",
    "auralis_heartbeat_age_seconds",
    "auralis_listeners_behind",
    "websocket_chunk_delivery_success_rate",
    "auralis_engine_failovers_total",
    "audio_end_to_end_latency_ms",
    "auralis_player_listened_ms_total",
    "auralis_player_silence_ms_total",
    "audio_startup_latency_ms",
    "auralis_config_last_reload_successful",
    "auralis_log_messages_dropped_total",
    "auralis_filesystem_free_percent",
    "auralis_control_messages_total",
    "network_bandwidth_mbps",
    "cpu_utilization_percent",
    "gpu_utilization_percent",
    "gpu_memory_allocated_mb",
    "auralis_gpu_memory_total_mb",
    "auralis_gpu_temperature_celsius",
    "auralis_gpu_power_watts",
    "memory_usage_mb",
    "auralis_memory_mb",
    "auralis_stations",
    "auralis_up",
    kProbeSuccess,
    kProbeChunksWrong,
    kProbeLastRun,
};

// The counts that rise: of a counter one, of a histogram one for each bucket.
const std::vector<double>& counts_of(const MetricSample& sample, std::vector<double>& one) {
  if (sample.spec.type == MetricType::kHistogram) return sample.buckets;
  one.assign(1, sample.value);
  return one;
}

}  // namespace

std::optional<double> histogram_quantile(double q, const std::vector<double>& bounds,
                                         const std::vector<double>& counts) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  if (!(total > 0) || bounds.empty()) return std::nullopt;
  const double rank = q * total;
  double below = 0;
  for (std::size_t bucket = 0; bucket < bounds.size(); ++bucket) {
    if (counts[bucket] > 0 && below + counts[bucket] >= rank) {
      const double lower = bucket == 0 ? std::min(0.0, bounds[0]) : bounds[bucket - 1];
      return lower + (bounds[bucket] - lower) * std::max(0.0, rank - below) / counts[bucket];
    }
    below += counts[bucket];
  }
  return bounds.back();
}

std::string_view History::Series::label(std::string_view label_name) const {
  return label_value(labels, label_name);
}

void History::add(std::int64_t now_ns, std::int64_t unix_ns, const std::vector<SnapshotFamily>& families) {
  assert(newest_ == 0 || now_ns >= time_ns(newest_));
  ++newest_;
  moments_[newest_ % kPoints] = {now_ns, unix_ns};
  oldest_ = std::max(oldest_, newest_ < kPoints ? 1 : newest_ - kPoints + 1);
  while (time_ns(oldest_) <= now_ns - kSpanNs) ++oldest_;
  for (auto& series : series_) {
    const auto row = series.values_.begin() + static_cast<std::ptrdiff_t>(newest_ % kPoints * series.width());
    std::fill_n(row, series.width(), kAbsent);
  }
  for (const auto& family : families) {
    if (std::find(kTracked.begin(), kTracked.end(), family.name) == kTracked.end()) continue;
    for (const auto& sample : family.samples) {
      if (Series* series = series_of(sample)) note(*series, sample);
    }
  }
  series_.erase(std::remove_if(series_.begin(), series_.end(),
                               [&](const Series& series) { return series.seen_ < oldest_; }),
                series_.end());
}

// The sample's series, if need be a fresh one; null if there are too many. One whose declaration has changed
// begins again: another version of the daemon was started.
History::Series* History::series_of(const MetricSample& sample) {
  auto found = std::find_if(series_.begin(), series_.end(), [&](const Series& series) {
    return series.name == sample.spec.name && same_labels(series.labels, sample.spec.labels);
  });
  if (found == series_.end()) {
    if (series_.size() >= kMostSeries) return nullptr;
    found = series_.insert(series_.end(), Series{});
  } else if (found->type == sample.spec.type && found->bounds == sample.spec.bounds) {
    return &*found;
  }
  *found = Series{};
  found->name = sample.spec.name;
  found->type = sample.spec.type;
  found->labels = sample.spec.labels;
  found->bounds = sample.spec.bounds;
  found->values_.assign(kPoints * found->width(), kAbsent);
  return &*found;
}

void History::note(Series& series, const MetricSample& sample) {
  float* row = series.values_.data() + newest_ % kPoints * series.width();
  series.seen_ = newest_;
  if (series.type == MetricType::kGauge) {
    *row = static_cast<float>(sample.value);
    return;
  }
  std::vector<double> one;
  const std::vector<double>& counts = counts_of(sample, one);
  if (counts.size() != series.width()) return;
  if (!series.last_.empty()) {
    const bool restarted = !std::equal(series.last_.begin(), series.last_.end(), counts.begin(),
                                       [](double before, double now) { return before <= now; });
    for (std::size_t i = 0; i < counts.size(); ++i) {
      row[i] = static_cast<float>(counts[i] - (restarted ? 0 : series.last_[i]));
    }
  }
  series.last_ = counts;
  series.total = sample.value;
}

std::uint64_t History::first_within(std::int64_t span_ns) const {
  std::uint64_t first = newest_ + 1;
  while (first > oldest_ && time_ns(first - 1) > time_ns(newest_) - span_ns) --first;
  return first;
}

double History::increase(const Series& series, std::int64_t span_ns) const {
  double sum = 0;
  for (std::uint64_t point = first_within(span_ns); point <= newest_; ++point) {
    const float rise = value(series, point);
    if (!std::isnan(rise)) sum += static_cast<double>(rise);
  }
  return sum;
}

std::vector<double> History::bucket_increases(const Series& series, std::int64_t span_ns) const {
  std::vector<double> sums(series.width(), 0.0);
  for (std::uint64_t point = first_within(span_ns); point <= newest_; ++point) {
    if (std::isnan(value(series, point))) continue;
    for (std::size_t bucket = 0; bucket < sums.size(); ++bucket) {
      sums[bucket] += static_cast<double>(value(series, point, bucket));
    }
  }
  return sums;
}

std::optional<double> History::mean(const Series& series, std::int64_t span_ns) const {
  double sum = 0;
  int count = 0;
  for (std::uint64_t point = first_within(span_ns); point <= newest_; ++point) {
    const float seen = value(series, point);
    if (std::isnan(seen)) continue;
    sum += static_cast<double>(seen);
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

std::optional<double> History::least(const Series& series, std::int64_t span_ns) const {
  std::optional<double> least;
  for (std::uint64_t point = first_within(span_ns); point <= newest_; ++point) {
    const auto seen = static_cast<double>(value(series, point));
    if (!std::isnan(seen)) least = std::min(least.value_or(seen), seen);
  }
  return least;
}

}  // namespace auralis
