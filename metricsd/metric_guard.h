// SPDX-License-Identifier: MIT
// Validates another daemon's metrics before they are published: its segment may have been overwritten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/metrics/metrics.h"

namespace auralis {

// For the samples of one daemon. One thread at a time.
class MetricGuard {
 public:
  // A series that fell counts as reset once it has risen undisturbed for this long. Only a reset by its
  // writer, or garbage that had raised it before, can cause that.
  static constexpr std::int64_t kSettledNs = 30'000'000'000;

  // A series that jumped by more than any daemon counts in a second is published once it has stayed up for
  // longer than its writer needs to restore what another process overwrote.
  static constexpr std::int64_t kProvenNs = 2'500'000'000;

  // Forgets all series: another segment was attached.
  void begin() { series_.clear(); }

  // Removes from `samples`, read from the segment at `now_ns` (CLOCK_MONOTONIC), those that must not be
  // published, and returns how many they were:
  // - all, if one is impossible: a counter or a count that is negative, not finite or above 2^53, a count
  //   that is not whole, an invalid name, text that is not UTF-8;
  // - a counter or a histogram that is below its last published value, until it no longer is;
  // - one that jumped, until it has stayed up for kProvenNs.
  // A series with a late label that is absent is forgotten: its station was closed, and restarts at 0.
  std::size_t filter(std::vector<MetricSample>& samples, std::int64_t now_ns);

 private:
  using Numbers = std::vector<double>;  // a counter's value; a histogram's buckets, then its sum

  struct Series {
    Numbers shown;
    Numbers withheld;  // as last seen; empty while the series is shown
    std::int64_t fell_ns = 0;
    std::int64_t jumped_ns = 0;  // 0: it did not jump
    bool late = false;
    std::uint64_t seen_in = 0;
  };

  bool may_show(const MetricSample& sample, std::int64_t now_ns);
  void forget_absent();

  std::unordered_map<std::string, Series> series_;  // by name and labels
  std::uint64_t reads_ = 0;
};

// Whether `text` can be the name of a metric or of a label.
bool is_metric_name(const std::string& text);

// Whether `text` is well-formed UTF-8.
bool is_utf8(const std::string& text);

}  // namespace auralis
