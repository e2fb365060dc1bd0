// SPDX-License-Identifier: MIT
// Durations and times as texts of the command line. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace auralis {

// A whole number above 0 with its unit: 30s, 90m, 2h, 7d; in seconds.
std::optional<std::int64_t> parse_duration(std::string_view text);

// Unix time in seconds, or ISO 8601 to the second with its zone: 2026-12-31T23:59:59Z, ...+01:00. From the
// year 1970 to 9999.
std::optional<std::int64_t> parse_time(const std::string& text);

}  // namespace auralis
