// SPDX-License-Identifier: MIT
// Wall time that does not jump: for timestamps that are compared with each other, or that players measure
// against.
#pragma once

#include <cstdint>

#include "common/base/clock.h"

namespace auralis {

// Both times advance with CLOCK_MONOTONIC; wall time is read from the system once, at construction, and later
// steps of the system's clock are ignored. Not for times that must agree with other machines' clocks, such as
// an expiry. Thread-safe.
class SteadyWallClock final : public Clock {
 public:
  // `clock` outlives it.
  explicit SteadyWallClock(const Clock& clock) : clock_(clock), ahead_ns_(clock.unix_ns() - clock.now_ns()) {}

  std::int64_t now_ns() const override { return clock_.now_ns(); }
  std::int64_t unix_ns() const override { return clock_.now_ns() + ahead_ns_; }

 private:
  const Clock& clock_;
  std::int64_t ahead_ns_;  // wall time minus monotonic time
};

}  // namespace auralis
