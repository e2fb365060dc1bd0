// SPDX-License-Identifier: MIT
#include "common/base/clock.h"

#include <ctime>

namespace auralis {
namespace {

std::int64_t read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::int64_t>(time.tv_sec) * kNsPerSecond + time.tv_nsec;
}

}  // namespace

std::int64_t SystemClock::now_ns() const { return read_clock(CLOCK_MONOTONIC); }

std::int64_t SystemClock::unix_ns() const { return read_clock(CLOCK_REALTIME); }

}  // namespace auralis
