// SPDX-License-Identifier: MIT
// Rules for configured values; each rule provides its text for --help, the file's comments and errors.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/config/config_key.h"

namespace auralis {

ConfigRule integer_from(std::int64_t min, std::int64_t max);
ConfigRule multiple_of(std::int64_t step, std::int64_t min, std::int64_t max);
ConfigRule number_from(double min, double max);
ConfigRule boolean();

ConfigRule one_of(std::vector<ConfigValue> choices);

template <std::size_t N>
ConfigRule one_of_names(const std::array<std::string_view, N>& names) {
  std::vector<ConfigValue> choices(N);
  std::transform(names.begin(), names.end(), choices.begin(),
                 [](std::string_view name) { return std::string(name); });
  return one_of(std::move(choices));
}

// The name of an enumeration's value, and the value of a name that one_of_names() has admitted.
template <typename Choice, std::size_t N>
constexpr std::string_view choice_name(const std::array<std::string_view, N>& names, Choice choice) {
  return names.at(static_cast<std::size_t>(choice));
}
template <typename Choice, std::size_t N>
Choice choice_named(const std::array<std::string_view, N>& names, std::string_view name) {
  return static_cast<Choice>(std::find(names.begin(), names.end(), name) - names.begin());
}

ConfigRule preset_name();
ConfigRule station_name();
ConfigRule host();      // to listen on
ConfigRule endpoint();  // of ZeroMQ
ConfigRule path_or_empty();
ConfigRule url_or_empty();  // of HTTP
ConfigRule network_list();
ConfigRule origin_list();
ConfigRule any_text();

}  // namespace auralis
