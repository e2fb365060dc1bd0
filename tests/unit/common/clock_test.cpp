// SPDX-License-Identifier: MIT
#include "common/clock.h"

#include <doctest/doctest.h>

#include <ctime>

namespace auralis {
namespace {

std::int64_t read(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * kNsPerSecond + time.tv_nsec;
}

TEST_CASE("now is CLOCK_MONOTONIC, the clock that all processes of the machine share") {
  const SystemClock clock;
  const std::int64_t before = read(CLOCK_MONOTONIC);
  const std::int64_t now = clock.now_ns();
  CHECK(before <= now);
  CHECK(now <= read(CLOCK_MONOTONIC));
}

TEST_CASE("wall time is that of Unix") {
  // Wide of any clock that counts from elsewhere: 2020 to 2100.
  const std::int64_t seconds = SystemClock().unix_ns() / kNsPerSecond;
  CHECK(seconds > 1'577'836'800);
  CHECK(seconds < 4'102'444'800);
}

}  // namespace
}  // namespace auralis
