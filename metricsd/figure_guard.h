// SPDX-License-Identifier: MIT
// Judges what a neighbour's shared memory shows before it is shown on: the neighbour, or whatever else writes
// there, may have trampled it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/metrics/metrics.h"

namespace auralis {

// For the samples of one daemon. One thread at a time.
class FigureGuard {
 public:
  // A series that fell is taken for one that began again once it has risen undisturbed for so long. Only a
  // writer that reset it, or noise that had raised it before, makes that happen.
  static constexpr std::int64_t kSettledNs = 30'000'000'000;

  // A series that leapt, by more than any daemon counts in a second, is shown once it has stayed up for
  // longer than a writer needs to put right what another process wrote over.
  static constexpr std::int64_t kProvenNs = 2'500'000'000;

  // Another segment was attached: what it shows begins again, and nothing is known of it.
  void begin() { series_.clear(); }

  // Removes from `samples`, one read of the segment at the moment `now_ns` (CLOCK_MONOTONIC), what must not
  // be shown, and returns how many samples that were:
  // - all, if one is impossible: a counter or a count that is negative, not finite or above 2^53, a count
  //   that is not whole, a name that is none, text that is not UTF-8;
  // - a counter or a histogram that is below what was last shown of it, until it is no longer below;
  // - one that leapt, until it has stayed so for kProvenNs.
  // A series with a late label that is absent is forgotten: its station left, and begins at 0 if it returns.
  std::size_t filter(std::vector<MetricSample>& samples, std::int64_t now_ns);

 private:
  using Numbers = std::vector<double>;  // of a counter its value; of a histogram its buckets, then its sum

  struct Series {
    Numbers shown;
    Numbers withheld;  // as last seen; empty while it is shown
    std::int64_t fell_ns = 0;
    std::int64_t leapt_ns = 0;  // 0: it did not
    bool late = false;
    std::uint64_t seen_in = 0;
  };

  bool may_show(const MetricSample& sample, std::int64_t now_ns);
  void forget_absent();

  std::map<std::string, Series> series_;  // by name and labels
  std::uint64_t reads_ = 0;
};

// Whether `text` can be the name of a metric or of a label.
bool is_metric_name(const std::string& text);

// Whether `text` is well-formed UTF-8.
bool is_utf8(const std::string& text);

}  // namespace auralis
