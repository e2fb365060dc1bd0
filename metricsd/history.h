// SPDX-License-Identifier: MIT
// The last 15 minutes of what the dashboard shows, a point a second: values of gauges, and by how much
// counters and buckets of histograms rose since the point before. So quantiles of any part of it are those of
// what was observed in that part, never since a daemon started.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metricsd/snapshot.h"

namespace auralis {

// The quantile `q` (0 to 1) of what was counted: `counts` per bucket, not cumulative, the last one of those
// above all `bounds`. Interpolates within a bucket, as Prometheus' histogram_quantile does, and so never
// exceeds the last bound. Nothing if the histogram is empty.
std::optional<double> histogram_quantile(double q, const std::vector<double>& bounds,
                                         const std::vector<double>& counts);

// One thread at a time. Its memory is bounded: by kPoints, and by kMostSeries of at most kMaxMetricBounds.
class History {
 public:
  static constexpr std::int64_t kSpanNs = 900 * kNsPerSecond;
  static constexpr std::size_t kPoints = 900;
  static constexpr std::size_t kMostSeries = 600;

  // Absent in a point: the daemon was down, or by how much a counter rose is unknown in its first point.
  static constexpr float kAbsent = std::numeric_limits<float>::quiet_NaN();

  class Series {
   public:
    std::string name;
    MetricType type = MetricType::kGauge;
    std::vector<MetricLabel> labels;
    std::vector<double> bounds;  // of a histogram
    double total = 0;            // of a counter: its value when it was last seen

    // The label's value; empty if it has none of that name.
    std::string_view label(std::string_view label_name) const;

   private:
    friend class History;
    std::size_t width() const { return type == MetricType::kHistogram ? bounds.size() + 1 : 1; }

    std::vector<double> last_;   // counts when it was last seen
    std::vector<float> values_;  // kPoints rows of width()
    std::uint64_t seen_ = 0;     // the newest point that has it
  };

  // Adds a point: the tracked families of a snapshot taken at `now_ns` (CLOCK_MONOTONIC, not decreasing),
  // which was `unix_ns` in wall time. A counter that fell restarted at 0.
  void add(std::int64_t now_ns, std::int64_t unix_ns, const std::vector<SnapshotFamily>& families);

  // Numbers of the points kept, from oldest() to newest() without gaps; newest() is 0 if there is none yet.
  std::uint64_t oldest() const { return oldest_; }
  std::uint64_t newest() const { return newest_; }
  std::int64_t time_ns(std::uint64_t point) const { return moments_[point % kPoints].now_ns; }
  std::int64_t unix_ns(std::uint64_t point) const { return moments_[point % kPoints].unix_ns; }

  // Series that have a value in any point kept, in the order in which they appeared.
  const std::vector<Series>& series() const { return series_; }

  // In a point that is kept: the gauge's value, or by how much the counter or the histogram's bucket rose.
  float value(const Series& series, std::uint64_t point, std::size_t bucket = 0) const {
    return series.values_[point % kPoints * series.width() + bucket];
  }

  // The sum of a counter's increases, or of each bucket's, over the last `span_ns`.
  double increase(const Series& series, std::int64_t span_ns) const;
  std::vector<double> bucket_increases(const Series& series, std::int64_t span_ns) const;

  // The mean of a gauge's values over the last `span_ns`; nothing if it was absent all the time.
  std::optional<double> mean(const Series& series, std::int64_t span_ns) const;

  // The least of them.
  std::optional<double> least(const Series& series, std::int64_t span_ns) const;

 private:
  struct Moment {
    std::int64_t now_ns = 0;
    std::int64_t unix_ns = 0;
  };

  Series* series_of(const MetricSample& sample);
  void note(Series& series, const MetricSample& sample);
  std::uint64_t first_within(std::int64_t span_ns) const;

  std::uint64_t oldest_ = 1;
  std::uint64_t newest_ = 0;
  std::vector<Moment> moments_ = std::vector<Moment>(kPoints);
  std::vector<Series> series_;
};

}  // namespace auralis
