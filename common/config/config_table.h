// SPDX-License-Identifier: MIT
// The table behind config.h: what a key is called, what it means and what it may be.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/config/config_key.h"

namespace auralis {

const std::vector<ConfigKey>& config_keys();

// Where it stands in config_keys(); their number where there is none.
std::size_t config_key_index(std::string_view section, std::string_view key);

// In the order of the table.
std::vector<std::string_view> config_sections();

// In the order in which they are to be set: preset sets all controls, and comes before what overrides it.
const std::vector<StationKey>& station_keys();

// The keys of [synthd] that describe the only station where there is no [[station]], and what they are called
// in one.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kOnlyStationKeys{
    {{"station", "name"}, {"seed", "seed"}, {"preset", "preset"}}};

// A value as auralis.toml writes it.
std::string to_toml(const ConfigValue& value);

}  // namespace auralis
