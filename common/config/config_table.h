// SPDX-License-Identifier: MIT
// The table of all keys: their names, meanings and allowed values.
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

// Index of the key in config_keys(); its size if there is no such key.
std::size_t config_key_index(std::string_view section, std::string_view key);

// Names of the sections, in the order of the table.
std::vector<std::string_view> config_sections();

// Keys of [[station]], in the order in which to set them: preset, which sets all controls, precedes the
// controls that override it.
const std::vector<StationKey>& station_keys();

// The keys of [synthd] that describe the only station if there is no [[station]], each with its name in
// [[station]].
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kOnlyStationKeys{
    {{"station", "name"}, {"seed", "seed"}, {"preset", "preset"}}};

// A value in TOML's notation.
std::string to_toml(const ConfigValue& value);

}  // namespace auralis
