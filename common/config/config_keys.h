// SPDX-License-Identifier: MIT
// The rows of config_keys(), by section, in the order of auralis.toml.
#pragma once

#include <string_view>
#include <vector>

#include "common/config/config_key.h"

namespace auralis {

// Help for a station's seed, in [synthd] and in [[station]].
inline constexpr std::string_view kSeedHelp = "Number that the music is derived from";

std::vector<ConfigKey> runtime_keys();
std::vector<ConfigKey> audio_keys();
std::vector<ConfigKey> synthd_keys();
std::vector<ConfigKey> streamd_keys();
std::vector<ConfigKey> metricsd_keys();
std::vector<ConfigKey> log_keys();

}  // namespace auralis
