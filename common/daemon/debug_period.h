// SPDX-License-Identifier: MIT
// Debug messages for a limited time, so that an operator who forgets them does not fill the disk.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/clock.h"
#include "common/base/log.h"

namespace auralis {

// Lowers the level of the current Log to kDebug, and restores it; each change is one line in the log. One
// thread; nothing else changes the level.
class DebugPeriod {
 public:
  // `clock` outlives it.
  explicit DebugPeriod(const Clock& clock) : clock_(clock) {}

  // Logs debug messages for kLengthNs from now on.
  void begin();
  // Restores the level that the log had before begin().
  void end();
  // Restores it once the time is over; about once a second.
  void step();

  static constexpr std::int64_t kLengthNs = 600 * kNsPerSecond;

 private:
  const Clock& clock_;
  std::optional<LogLevel> before_;  // while debug messages are logged
  std::int64_t until_ns_ = 0;
};

}  // namespace auralis
