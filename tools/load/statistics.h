// SPDX-License-Identifier: MIT
// What many listeners see, in memory that does not grow with time. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace auralis {

// Microseconds, told apart to one part in 128 (exactly below 256 us).
class LatencyHistogram {
 public:
  // What is below nothing counts as nothing.
  void add(std::int64_t us);

  std::uint64_t count() const { return count_; }
  std::int64_t max_us() const { return max_us_; }

  // The least value that `share` (0 to 1) of all do not exceed; nothing where there are none. Never below the
  // true one, nor above the greatest.
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

// How late the chunks of one listener are against the earliest line through its own stream. The line is that
// of all chunks so far, known for the newest `kWindow` of them, which wait here until then.
class LatenessWindow {
 public:
  static constexpr std::size_t kWindow = 256;

  // `since_due_us`: when the chunk came, less when it is due by a clock of any origin.
  void add(std::int64_t since_due_us, LatencyHistogram& lateness);

  // Counts what still waits.
  void flush(LatencyHistogram& lateness);

 private:
  bool begun_ = false;
  std::int64_t origin_us_ = 0;  // of the first chunk: the others are near it
  std::int32_t earliest_us_ = 0;
  std::size_t count_ = 0;
  std::array<std::int32_t, kWindow> waiting_us_{};
};

// The numbers of one listener's chunks, as they came.
class ChunkSequence {
 public:
  enum class Step { kFirst, kNext, kGap, kRepeat };

  // A chunk, or the warning in its place.
  Step note(std::uint64_t seq);

  // Of the last step, if that was a gap: how many are missing.
  std::uint64_t missing() const { return missing_; }

 private:
  bool begun_ = false;
  std::uint64_t newest_ = 0;
  std::uint64_t missing_ = 0;
};

}  // namespace auralis
