// SPDX-License-Identifier: MIT
#include "common/music/timeline.h"

#include <doctest/doctest.h>

#include <initializer_list>

namespace auralis::timeline_test {
namespace {

constexpr std::int64_t kEpoch = 1'000'000'000'123;

Timeline timeline(std::uint32_t rate, std::uint32_t frames) { return {kEpoch, rate, frames, 2}; }

TEST_CASE("a chunk's duration is exact at both sample rates and all chunk sizes") {
  for (const std::uint32_t rate : {44'100U, 48'000U}) {
    for (std::uint32_t ms = 20; ms <= 200; ms += 10) {
      const Timeline line = timeline(rate, rate / 100 * (ms / 10));
      CHECK(line.chunk_ns() == ms * kNsPerMs);
      // Frames and time never drift apart: ten years of chunks end on the nanosecond.
      const std::int64_t chunks = 10LL * 365 * 86'400 * 1'000 / ms;
      CHECK(line.due_ns(chunks) - kEpoch == chunks * ms * kNsPerMs);
      CHECK(line.first_frame(chunks) == chunks * line.chunk_frames);
    }
  }
}

TEST_CASE("a chunk is current from its due time to the next one's") {
  const Timeline line = timeline(44'100, 4'410);
  for (const std::int64_t chunk : {0LL, 1LL, 9'999'999LL}) {
    CHECK(line.chunk_at(line.due_ns(chunk)) == chunk);
    CHECK(line.chunk_at(line.due_ns(chunk + 1) - 1) == chunk);
  }
}

TEST_CASE("before the epoch chunks are negative, rounded down") {
  const Timeline line = timeline(48'000, 960);
  CHECK(line.chunk_at(kEpoch - 1) == -1);
  CHECK(line.chunk_at(kEpoch - line.chunk_ns()) == -1);
  CHECK(line.chunk_at(kEpoch - line.chunk_ns() - 1) == -2);
  CHECK(line.due_ns(-2) == kEpoch - 2 * line.chunk_ns());
  CHECK(line.first_frame(-2) == -1'920);
}

TEST_CASE("depth reaches from now to the end of the newest chunk, and is negative once that has passed") {
  const Timeline line = timeline(44'100, 4'410);
  CHECK(line.depth_ns(6, kEpoch) == 700 * kNsPerMs);
  CHECK(line.depth_ns(0, kEpoch + 100 * kNsPerMs) == 0);
  CHECK(line.depth_ns(0, kEpoch + 250 * kNsPerMs) == -150 * kNsPerMs);
}

TEST_CASE("a chunk's samples are its frames times its channels") {
  CHECK(timeline(44'100, 4'410).chunk_samples() == 8'820);
}

}  // namespace
}  // namespace auralis::timeline_test
