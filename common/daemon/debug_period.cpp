// SPDX-License-Identifier: MIT
#include "common/daemon/debug_period.h"

#include <ctime>

#include <array>
#include <string>
#include <utility>

namespace auralis {
namespace {

std::string utc(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / kNsPerSecond;
  std::tm fields{};
  gmtime_r(&seconds, &fields);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &fields)};
}

}  // namespace

void DebugPeriod::begin() {
  if (!before_) before_ = log_level();
  until_ns_ = clock_.now_ns() + kLengthNs;
  set_log_level(LogLevel::kDebug);
  log_info("log level is debug for 10 minutes (SIGUSR1); SIGUSR2 ends it",
           {{"until", utc(clock_.unix_ns() + kLengthNs)}});
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
