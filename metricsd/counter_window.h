// SPDX-License-Identifier: MIT
// A sliding window of samples of a few related counters, to tell how much they rose recently.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace auralis {

// One thread. Times are CLOCK_MONOTONIC nanoseconds.
class CounterWindow {
 public:
  static constexpr std::size_t kColumns = 10;
  using Values = std::array<double, kColumns>;  // NaN: unavailable

  struct Change {
    double seconds = 0;  // between the two samples compared; above 0
    Values amount{};     // change of each counter; NaN if it was unavailable at either end
  };

  // Remembers samples for `span_ns`.
  explicit CounterWindow(std::int64_t span_ns) : span_ns_(span_ns) {}

  // Adds a sample; times must not decrease. A counter that fell was reset: the window restarts with this
  // sample.
  void add(std::int64_t now_ns, const Values& values);
  void clear() { points_.clear(); }

  // The change from the oldest sample of the last `span_ns` to the newest; nothing if they are less than
  // kLeastNs apart. For ratios of counters.
  std::optional<Change> over(std::int64_t span_ns) const { return change(span_ns, false); }

  // As over(), but ignores samples before the last gap of more than kGapNs. For rates: it is unknown whether
  // counting continued in a gap, so a rate must not span it.
  std::optional<Change> unbroken(std::int64_t span_ns) const { return change(span_ns, true); }

  static constexpr std::int64_t kGapNs = 2'500'000'000;
  // The kernel counts processor time in hundredths of a second: over a moment its share is arbitrary.
  static constexpr std::int64_t kLeastNs = 500'000'000;

 private:
  struct Point {
    std::int64_t at_ns;
    Values values;
  };

  bool was_reset(const Values& values) const;
  std::optional<Change> change(std::int64_t span_ns, bool unbroken) const;

  std::int64_t span_ns_;
  std::deque<Point> points_;
};

}  // namespace auralis
