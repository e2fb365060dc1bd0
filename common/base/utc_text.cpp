// SPDX-License-Identifier: MIT
#include "common/base/utc_text.h"

#include <ctime>

#include <array>
#include <cstdio>

#include "common/base/clock.h"

namespace auralis {

std::string utc_text(std::int64_t unix_s) {
  const auto time = static_cast<std::time_t>(unix_s);
  std::tm fields{};
  gmtime_r(&time, &fields);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &fields)};
}

std::string utc_text_ms(std::int64_t unix_ns) {
  std::string text = utc_text(unix_ns / kNsPerSecond);
  std::array<char, 8> milliseconds{};
  std::snprintf(milliseconds.data(), milliseconds.size(), ".%03dZ",
                static_cast<int>(unix_ns % kNsPerSecond / kNsPerMs));
  return text.replace(text.size() - 1, 1, milliseconds.data());
}

}  // namespace auralis
