// SPDX-License-Identifier: MIT
// Statistics of many listeners, in constant memory. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace auralis {

// A histogram of microseconds with a resolution of 1/128 (exact below 256 us).
class LatencyHistogram {
 public:
  // Negative values count as 0.
  void add(std::int64_t us);

  std::uint64_t count() const { return count_; }
  std::int64_t max_us() const { return max_us_; }

  // The smallest value that `share` (0 to 1) of all do not exceed; nothing if there are none. Never below the
  // exact percentile, nor above the maximum.
  std::optional<std::int64_t> percentile_us(double share) const;

 private:
  static constexpr unsigned kExactBits = 8;
  static constexpr unsigned kMostBits = 40;  // twelve days
  static constexpr std::size_t kExact = std::size_t{1} << kExactBits;
  static constexpr std::size_t kSteps = kExact / 2;

  static std::size_t bucket_of(std::uint64_t us);
  static std::int64_t last_of(std::size_t bucket);

  std::array<std::uint64_t, kExact + (kMostBits - kExactBits) * kSteps> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t max_us_ = 0;
};

// Lateness of one listener's chunks against the earliest line through its own stream. Chunks wait here until
// `kWindow` newer ones are known, which may move the line.
class LatenessWindow {
 public:
  static constexpr std::size_t kWindow = 256;

  // `since_due_us`: arrival of the chunk minus its due time, by a clock of any origin.
  void add(std::int64_t since_due_us, LatencyHistogram& lateness);

  // Counts the waiting chunks.
  void flush(LatencyHistogram& lateness);

 private:
  bool begun_ = false;
  std::int64_t origin_us_ = 0;  // of the first chunk: the others are near it
  std::int32_t earliest_us_ = 0;
  std::size_t count_ = 0;
  std::array<std::int32_t, kWindow> waiting_us_{};
};

// Checks the sequence numbers of one listener's chunks.
class ChunkSequence {
 public:
  enum class Step { kFirst, kNext, kGap, kRepeat };

  // Notes a chunk, or the warning instead of it.
  Step note(std::uint64_t seq);

  // Number of missing chunks, if the last step was a gap.
  std::uint64_t missing() const { return missing_; }

 private:
  bool begun_ = false;
  std::uint64_t newest_ = 0;
  std::uint64_t missing_ = 0;
};

}  // namespace auralis
