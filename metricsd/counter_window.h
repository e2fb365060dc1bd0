// SPDX-License-Identifier: MIT
// A sliding window of samples of a few counters that belong together, to tell how much they rose lately.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace auralis {

// One thread. Moments are CLOCK_MONOTONIC nanoseconds.
class CounterWindow {
 public:
  static constexpr std::size_t kColumns = 8;
  using Values = std::array<double, kColumns>;  // NaN: not to be had

  struct Change {
    double seconds = 0;  // between the two samples compared; above 0
    Values amount{};     // by how much each counter changed; NaN where it was not to be had at both ends
  };

  // Remembers samples for `span_ns`.
  explicit CounterWindow(std::int64_t span_ns) : span_ns_(span_ns) {}

  // Moments must rise. Where a counter fell, it began anew, and so does the window, with this sample.
  void add(std::int64_t now_ns, const Values& values);
  void clear() { points_.clear(); }

  // From the oldest sample of the last `span_ns` to the newest; nothing where that is a single one. For
  // shares of one counter in another.
  std::optional<Change> over(std::int64_t span_ns) const { return change(span_ns, false); }

  // As over(), but from no sample before the last gap of more than kGapNs between two samples: whether what
  // is measured went on in a gap is not known, so a rate must not span it.
  std::optional<Change> unbroken(std::int64_t span_ns) const { return change(span_ns, true); }

  static constexpr std::int64_t kGapNs = 2'500'000'000;

 private:
  struct Point {
    std::int64_t at_ns;
    Values values;
  };

  bool began_anew(const Values& values) const;
  std::optional<Change> change(std::int64_t span_ns, bool unbroken) const;

  std::int64_t span_ns_;
  std::deque<Point> points_;
};

}  // namespace auralis
