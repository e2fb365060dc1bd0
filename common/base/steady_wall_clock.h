// SPDX-License-Identifier: MIT
// Wall time that does not jump: for all that is compared with one another or measured against by players.
#pragma once

#include <cstdint>

#include "common/base/clock.h"

namespace auralis {

// Both times go with CLOCK_MONOTONIC; wall time is taken from the system once, at construction, and a later
// step of the system's clock changes nothing. Not for what must agree with other machines' clocks, as expiry
// does. Thread-safe.
class SteadyWallClock final : public Clock {
 public:
  // `clock` outlives it.
  explicit SteadyWallClock(const Clock& clock) : clock_(clock), ahead_ns_(clock.unix_ns() - clock.now_ns()) {}

  std::int64_t now_ns() const override { return clock_.now_ns(); }
  std::int64_t unix_ns() const override { return clock_.now_ns() + ahead_ns_; }

 private:
  const Clock& clock_;
  std::int64_t ahead_ns_;  // wall time, of monotonic time
};

}  // namespace auralis
