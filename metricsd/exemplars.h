// SPDX-License-Identifier: MIT
// Exemplars of OpenMetrics: what was missing or late last, with its chunk and a link to its music. On the
// counters of underruns and overruns, and on the late buckets of the delivery latency.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metricsd/history.h"
#include "metricsd/snapshot.h"
#include "metricsd/station_links.h"

namespace auralis {

struct Exemplar {
  std::string metric;
  std::vector<MetricLabel> series;  // its labels
  std::size_t bucket = 0;           // of a histogram
  std::vector<MetricLabel> labels;  // of the exemplar: see Exemplars
  double value = 0;                 // of a counter, by how much it rose in that second; else of that bucket
  std::int64_t at_ns = 0;           // CLOCK_MONOTONIC
  std::int64_t unix_ns = 0;

  // Whether it is of that series, and bucket of a histogram.
  bool is_of(std::string_view of_metric, const std::vector<MetricLabel>& of_series,
             std::size_t of_bucket) const {
    return metric == of_metric && bucket == of_bucket && same_labels(series, of_series);
  }
};

// One thread at a time.
class Exemplars {
 public:
  // Deliveries above this are late, as in the alert ChunkDeliveryLatencyHigh; a bound of the histogram.
  static constexpr double kLateMs = 100;
  // OpenMetrics' limit for an exemplar's labels, names and values together.
  static constexpr std::size_t kMostLabelCharacters = 128;

  // `links` must outlive it.
  explicit Exemplars(StationLinks& links) : links_(links) {}

  // Notes what was missing or late in the history's newest point, to which `families` was added.
  //
  // Label `chunk` is the number on the timeline of the chunk that was due at the point, up to a second after
  // the first that was missing; or of the late chunk. Label `link` is the query of a permalink to its music,
  // left out where it would exceed the limit. Of the deliveries of a second only the highest bucket has an
  // exemplar: the mean of its values, estimated from the histogram's sum, but always within the bucket.
  void note(const History& history, const std::vector<SnapshotFamily>& families);

  // The last one of each series and bucket, no older than the history.
  const std::vector<Exemplar>& all() const { return exemplars_; }

 private:
  void note_late(const History& history, const History::Series& series, double sum_rise);
  void add(const History& history, const History::Series& series, std::size_t bucket, double value,
           std::int64_t late_ns);
  double sum_rise(const std::vector<SnapshotFamily>& families);

  StationLinks& links_;
  double last_sum_ = 0;
  std::vector<Exemplar> exemplars_;
};

}  // namespace auralis
