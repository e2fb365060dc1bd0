// SPDX-License-Identifier: MIT
#include "tools/ticket/time.h"

#include "common/access/ticket.h"

#include <charconv>
#include <ctime>
#include <limits>

namespace auralis {
namespace {

constexpr const char* kForm = "%Y-%m-%dT%H:%M:%S%z";

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number >= 0 ? std::optional(number) : std::nullopt;
}

std::int64_t seconds_of(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3'600;
    case 'd':
      return 86'400;
    default:
      return 0;
  }
}

bool same_day(const std::tm& a, const std::tm& b) { return a.tm_mday == b.tm_mday && a.tm_mon == b.tm_mon; }

std::optional<std::int64_t> iso_time(const std::string& text) {
  std::tm given{};
  const char* const end = strptime(text.c_str(), kForm, &given);
  if (end != text.c_str() + text.size()) return std::nullopt;
  // timegm sets it to the day that it takes the 30th of February for.
  std::tm real = given;
  const std::int64_t unix_s = timegm(&real) - given.tm_gmtoff;
  return same_day(given, real) ? std::optional(unix_s) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  const std::int64_t unit_s = text.empty() ? 0 : seconds_of(text.back());
  if (unit_s == 0) return std::nullopt;
  const auto number = whole_number(text.substr(0, text.size() - 1));
  if (!number || *number == 0 || *number > kLatestExpiry / unit_s) return std::nullopt;
  return *number * unit_s;
}

std::optional<std::int64_t> parse_time(const std::string& text) {
  const auto number = whole_number(text);
  const auto unix_s = number ? number : iso_time(text);
  return unix_s && 0 <= *unix_s && *unix_s <= kLatestExpiry ? unix_s : std::nullopt;
}

}  // namespace auralis
