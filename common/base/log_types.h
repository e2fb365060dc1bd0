// SPDX-License-Identifier: MIT
// The parts of a log message.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace auralis {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kAuto, kText, kJson };

using LogValue = std::variant<std::int64_t, double, bool, std::string>;
using LogFields = std::initializer_list<std::pair<std::string_view, LogValue>>;

constexpr std::string_view log_level_name(LogLevel level) {
  constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
  return kNames.at(static_cast<std::size_t>(level));
}

}  // namespace auralis
