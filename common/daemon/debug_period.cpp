// SPDX-License-Identifier: MIT
#include "common/daemon/debug_period.h"

#include <string>
#include <utility>

#include "common/base/utc_text.h"

namespace auralis {
void DebugPeriod::begin() {
  if (!before_) before_ = log_level();
  until_ns_ = clock_.now_ns() + kLengthNs;
  set_log_level(LogLevel::kDebug);
  log_info("log level is debug for 10 minutes (SIGUSR1); SIGUSR2 ends it",
           {{"until", utc_text((clock_.unix_ns() + kLengthNs) / kNsPerSecond)}});
}

void DebugPeriod::end() {
  const LogLevel configured = std::exchange(before_, std::nullopt).value_or(log_level());
  // Even if that level hides this line.
  set_log_level(LogLevel::kDebug);
  log_info("log level is the configured one", {{"level", std::string(log_level_name(configured))}});
  set_log_level(configured);
}

void DebugPeriod::step() {
  if (before_ && clock_.now_ns() >= until_ns_) end();
}

}  // namespace auralis
