// SPDX-License-Identifier: MIT
// The keys of [[station]].
#include "common/config/config_keys.h"
#include "common/config/config_rules.h"
#include "common/config/config_table.h"
#include "common/music/music_parameters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace auralis {
namespace {

// The double with the shortest text that parses to this float: 0.3F is printed as 0.3.
double widened(float number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  double wide = 0;
  std::from_chars(digits.data(), end, wide);
  return wide;
}

StationKey number_key(const NumberControl& control, std::string_view help) {
  const auto member = control.member;
  return {control.name,
          number_from(control.min, control.max),
          help,
          [member](const StationConfig& s) { return widened(s.parameters.*member); },
          [member](StationConfig& s, const ConfigValue& value) {
            s.parameters.*member = static_cast<float>(std::get<double>(value));
          },
          {}};
}

StationKey voice_key(VoiceGroup group, std::string_view help) {
  const auto bit = static_cast<unsigned>(group);
  return {kVoiceGroupNames.at(bit),
          boolean(),
          help,
          [group](const StationConfig& s) { return s.parameters.has(group); },
          [bit](StationConfig& s, const ConfigValue& value) {
            const unsigned others = s.parameters.voices & ~(1U << bit);
            s.parameters.voices =
                static_cast<std::uint8_t>(others | static_cast<unsigned>(std::get<bool>(value)) << bit);
          },
          {}};
}

std::vector<StationKey> identity_keys() {
  return {
      {"name",
       station_name(),
       "Name, required and unique",
       [](const StationConfig& s) { return s.name; },
       [](StationConfig& s, const ConfigValue& value) { s.name = std::get<std::string>(value); },
       {}},
      {"seed", integer_from(0, std::numeric_limits<std::int64_t>::max()), kSeedHelp,
       [](const StationConfig& s) { return static_cast<std::int64_t>(s.seed); },
       [](StationConfig& s, const ConfigValue& value) {
         s.seed = static_cast<std::uint64_t>(std::get<std::int64_t>(value));
       },
       std::to_string(StationConfig().seed)},
      {"preset", preset_name(), "All music controls at once; those below override it one by one",
       [](const StationConfig& s) {
         const Preset* preset = matching_preset(s.parameters);
         return std::string(preset != nullptr ? preset->name : kDefaultPreset.name);
       },
       [](StationConfig& s, const ConfigValue& value) {
         s.parameters = find_preset(std::get<std::string>(value))->parameters;
       },
       std::string(kDefaultPreset.name)},
  };
}

std::vector<StationKey> make_station_keys() {
  std::vector<StationKey> keys = identity_keys();
  keys.push_back({"key",
                  one_of_names(kKeyNames),
                  "Root of the scale",
                  [](const StationConfig& s) { return std::string(kKeyNames.at(s.parameters.key)); },
                  [](StationConfig& s, const ConfigValue& value) {
                    s.parameters.key = key_from_name(std::get<std::string>(value)).value();
                  },
                  {}});
  keys.push_back({"mode",
                  one_of_names(kModeNames),
                  "Mode of the scale",
                  [](const StationConfig& s) {
                    return std::string(kModeNames.at(static_cast<std::size_t>(s.parameters.mode)));
                  },
                  [](StationConfig& s, const ConfigValue& value) {
                    s.parameters.mode = mode_from_name(std::get<std::string>(value)).value();
                  },
                  {}});
  // In the order of kNumberControls and of VoiceGroup.
  constexpr std::array<std::string_view, kNumberControls.size()> kNumberHelp{
      "Beats per minute", "Loudness, and density of the melody",
      "How far the melody strays from the chord's tones",
      "How far the chords stray from the mode's usual progressions",
      "Density of sevenths, ninths and doubled tones in the chords"};
  constexpr std::array<std::string_view, kVoiceGroupNames.size()> kVoiceHelp{
      "Whether pads play", "Whether the melody plays", "Whether kicks play", "Whether swells of noise play"};
  for (std::size_t i = 0; i < kNumberControls.size(); ++i)
    keys.push_back(number_key(kNumberControls.at(i), kNumberHelp.at(i)));
  for (std::size_t i = 0; i < kVoiceGroupNames.size(); ++i)
    keys.push_back(voice_key(static_cast<VoiceGroup>(i), kVoiceHelp.at(i)));
  keys.push_back({"open", boolean(), "Whether every listener may change its controls",
                  [](const StationConfig& s) { return s.open; },
                  [](StationConfig& s, const ConfigValue& value) { s.open = std::get<bool>(value); },
                  to_toml(StationConfig().open)});
  return keys;
}

}  // namespace

bool StationKey::is_of_its_type(const ConfigValue& value) const {
  const ConfigValue own = get(StationConfig());
  const bool whole = std::holds_alternative<double>(own) && std::holds_alternative<std::int64_t>(value);
  return whole || value.index() == own.index();
}

bool StationKey::set(StationConfig& station, const ConfigValue& value) const {
  if (!is_of_its_type(value)) return false;
  const bool number = std::holds_alternative<double>(get(station));
  const auto* whole = std::get_if<std::int64_t>(&value);
  const ConfigValue own = number && whole != nullptr ? static_cast<double>(*whole) : value;
  if (!rule.admits(own)) return false;
  put(station, own);
  return true;
}

const std::vector<StationKey>& station_keys() {
  static const std::vector<StationKey> keys = make_station_keys();
  return keys;
}

}  // namespace auralis
