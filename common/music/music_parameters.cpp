// SPDX-License-Identifier: MIT
#include "common/music/music_parameters.h"

#include <algorithm>

namespace auralis {
namespace {

constexpr std::uint8_t kAllVoices = (1U << kVoiceGroupNames.size()) - 1;

template <std::size_t N>
std::optional<std::uint8_t> index_of(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::uint8_t>(found - names.begin());
}

}  // namespace

bool operator==(const MusicParameters& a, const MusicParameters& b) {
  return a.key == b.key && a.mode == b.mode && a.voices == b.voices &&
         std::all_of(kNumberControls.begin(), kNumberControls.end(),
                     [&](const NumberControl& control) { return a.*control.member == b.*control.member; });
}

std::optional<Mode> mode_from_name(std::string_view name) {
  const auto index = index_of(kModeNames, name);
  return index ? std::optional(static_cast<Mode>(*index)) : std::nullopt;
}

std::optional<std::uint8_t> key_from_name(std::string_view name) { return index_of(kKeyNames, name); }

const Preset* find_preset(std::string_view name) {
  const auto* const found = std::find_if(kPresets.begin(), kPresets.end(),
                                         [&](const Preset& preset) { return preset.name == name; });
  return found == kPresets.end() ? nullptr : &*found;
}

const Preset* matching_preset(const MusicParameters& parameters) {
  const auto* const found = std::find_if(kPresets.begin(), kPresets.end(), [&](const Preset& preset) {
    return preset.parameters == parameters;
  });
  return found == kPresets.end() ? nullptr : &*found;
}

bool valid(const MusicParameters& parameters) {
  // Negated so that NaN, which compares false with everything, is out of range.
  const auto in_range = [&](const NumberControl& control) {
    const auto value = static_cast<double>(parameters.*control.member);
    return control.min <= value && value <= control.max;
  };
  return parameters.key < kKeyNames.size() && static_cast<std::size_t>(parameters.mode) < kModeNames.size() &&
         parameters.voices <= kAllVoices && parameters.reserved == 0 &&
         std::all_of(kNumberControls.begin(), kNumberControls.end(), in_range);
}

}  // namespace auralis
