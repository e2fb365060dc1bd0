// SPDX-License-Identifier: MIT
#include "common/base/clock.h"

#include <doctest/doctest.h>

#include <ctime>
#include <initializer_list>

#include "common/base/steady_wall_clock.h"

namespace auralis::clock_test {
namespace {

// A system whose clock is set by hand.
class SteppedClock final : public Clock {
 public:
  std::int64_t now_ns() const override { return now; }
  std::int64_t unix_ns() const override { return 1'700'000'000 * kNsPerSecond + now + step; }

  std::int64_t now = 0;
  std::int64_t step = 0;
};

std::int64_t read(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * kNsPerSecond + time.tv_nsec;
}

TEST_CASE("now is CLOCK_MONOTONIC, which all processes of the machine share") {
  const SystemClock clock;
  const std::int64_t before = read(CLOCK_MONOTONIC);
  const std::int64_t now = clock.now_ns();
  CHECK(before <= now);
  CHECK(now <= read(CLOCK_MONOTONIC));
}

TEST_CASE("wall time counts from the Unix epoch") {
  // 2020 to 2100: a clock with another epoch lies outside.
  const std::int64_t seconds = SystemClock().unix_ns() / kNsPerSecond;
  CHECK(seconds > 1'577'836'800);
  CHECK(seconds < 4'102'444'800);
}

TEST_CASE("steady wall time starts at the system's, and ignores its later steps") {
  SteppedClock system;
  system.step = 5;
  const SteadyWallClock clock(system);
  CHECK(clock.unix_ns() == system.unix_ns());
  const std::int64_t begin_ns = clock.unix_ns();
  for (const std::int64_t hours : {4, -4, 24 * 365}) {
    system.step = hours * 3'600 * kNsPerSecond;
    system.now += kNsPerSecond;
    CHECK(clock.unix_ns() - begin_ns == system.now);
    CHECK(clock.now_ns() == system.now);
  }
}

}  // namespace
}  // namespace auralis::clock_test
