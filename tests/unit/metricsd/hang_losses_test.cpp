// SPDX-License-Identifier: MIT
#include "metricsd/hang_losses.h"

#include "common/base/clock.h"

#include <doctest/doctest.h>

namespace auralis::hang_losses_test {
namespace {

constexpr std::int64_t kChunkNs = 100'000'000;
constexpr std::int64_t kStart = 1'000 * kNsPerSecond;

// streamd with 20 listeners, whose last heartbeat is at kStart, and which hangs until `seconds` later.
struct Hung {
  explicit Hung(int seconds, std::int64_t chunk_ns = kChunkNs) {
    losses.note_healthy(1, kStart, 5'000, 20);
    for (int second = 3; second <= seconds; ++second)
      losses.note_hang(kStart + second * kNsPerSecond, chunk_ns);
  }
  HangLosses losses;
};

}  // namespace

TEST_CASE("HangLosses: all that fell due from the last heartbeat to the end is lost, once") {
  Hung hung(7);
  const std::int64_t back_ns = kStart + 60 * kNsPerSecond;  // long after: nobody was connected meanwhile
  CHECK(hung.losses.note_healthy(2, back_ns, 5'000, 0) == doctest::Approx(20 * 70));
  CHECK(hung.losses.note_healthy(2, back_ns + kNsPerSecond, 5'000, 3) == 0);
  CHECK(hung.losses.note_healthy(3, back_ns + 2 * kNsPerSecond, 5'000, 3) == 0);
}

TEST_CASE("HangLosses: a streamd that runs again counts them itself, also if it ends right after") {
  Hung continued(7);
  CHECK(continued.losses.note_healthy(1, kStart + 8 * kNsPerSecond, 6'400, 20) == 0);
  CHECK(continued.losses.note_healthy(2, kStart + 9 * kNsPerSecond, 6'600, 0) == 0);

  Hung terminated(7);
  CHECK(terminated.losses.note_healthy(2, kStart + 9 * kNsPerSecond, 6'300, 0) == doctest::Approx(100));
}

TEST_CASE("HangLosses: nothing falls due while synthd does not run, nor at a first start") {
  Hung silent(7, 0);
  CHECK(silent.losses.note_healthy(2, kStart + 9 * kNsPerSecond, 5'000, 0) == 0);
  HangLosses first;
  first.note_hang(kStart, kChunkNs);
  CHECK(first.note_healthy(1, kStart, 5'000, 20) == 0);
}

TEST_CASE("HangLosses: counts that began at 0 again do not lessen the loss") {
  Hung hung(7);
  CHECK(hung.losses.note_healthy(2, kStart + 9 * kNsPerSecond, 10, 0) == doctest::Approx(20 * 70));
}

}  // namespace auralis::hang_losses_test
