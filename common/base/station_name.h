// SPDX-License-Identifier: MIT
// Valid station names, in the configuration and in shared memory. Pure.
#pragma once

#include <string_view>

namespace auralis {

// Whether `name` consists of 1 to 31 of a-z, 0-9, _ and -.
inline bool is_station_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  return !name.empty() && name.size() <= 31 && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace auralis
