// SPDX-License-Identifier: MIT
// The two clocks of the system, behind an interface so that a test moves them by hand.
#pragma once

#include <cstdint>

namespace auralis {

inline constexpr std::int64_t kNsPerMs = 1'000'000;
inline constexpr std::int64_t kNsPerSecond = 1'000'000'000;

// Thread-safe. Must outlive every object that holds a reference to it.
class Clock {
 public:
  virtual ~Clock() = default;

  // CLOCK_MONOTONIC in nanoseconds: the clock of the timeline, equal in all processes of the machine.
  virtual std::int64_t now_ns() const = 0;

  // Wall time in nanoseconds since the Unix epoch; it may jump. Only for timestamps that people and players
  // read.
  virtual std::int64_t unix_ns() const = 0;
};

class SystemClock final : public Clock {
 public:
  std::int64_t now_ns() const override;
  std::int64_t unix_ns() const override;
};

}  // namespace auralis
