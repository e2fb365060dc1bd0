// SPDX-License-Identifier: MIT
#include "common/music/music_parameters.h"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

namespace auralis::music_parameters_test {
namespace {

TEST_CASE("the presets are those of the prototype") {
  struct Expected {
    std::string_view name, key, mode;
    float bpm, intensity;
  };
  constexpr std::array<Expected, 4> kExpected{{
      {"focus", "D", "dorian", 60, 0.5F},
      {"meditation", "C", "aeolian", 50, 0.3F},
      {"sleep", "E", "phrygian", 40, 0.2F},
      {"bright", "G", "lydian", 70, 0.6F},
  }};
  for (const auto& expected : kExpected) {
    CAPTURE(expected.name);
    const Preset* preset = find_preset(expected.name);
    REQUIRE(preset != nullptr);
    CHECK(preset->parameters.key == key_from_name(expected.key));
    CHECK(preset->parameters.mode == mode_from_name(expected.mode));
    CHECK(preset->parameters.bpm == expected.bpm);
    CHECK(preset->parameters.intensity == expected.intensity);
    CHECK(valid(preset->parameters));
    CHECK(matching_preset(preset->parameters) == preset);
  }
  CHECK(find_preset("Focus") == nullptr);
  CHECK(find_preset("") == nullptr);
}

TEST_CASE("names of keys and modes map to their values, and other names to none") {
  for (std::size_t key = 0; key < kKeyNames.size(); ++key) CHECK(key_from_name(kKeyNames[key]) == key);
  for (std::size_t mode = 0; mode < kModeNames.size(); ++mode) {
    CHECK(mode_from_name(kModeNames[mode]) == static_cast<Mode>(mode));
  }
  CHECK_FALSE(key_from_name("H"));
  CHECK_FALSE(key_from_name("c"));
  CHECK_FALSE(mode_from_name(""));
}

TEST_CASE("parameters that differ in any field are not equal") {
  const MusicParameters base = kPresets[0].parameters;
  CHECK(base == kPresets[0].parameters);
  MusicParameters other = base;
  SUBCASE("key") { other.key = 3; }
  SUBCASE("mode") { other.mode = Mode::kLydian; }
  SUBCASE("voices") { other.voices = 0b0111; }
  SUBCASE("bpm") { other.bpm = 61; }
  SUBCASE("intensity") { other.intensity = 0.51F; }
  SUBCASE("melody complexity") { other.melody_complexity = 0.9F; }
  SUBCASE("chord variety") { other.chord_progression_variety = 0.9F; }
  SUBCASE("harmonic density") { other.harmonic_density = 0.9F; }
  CHECK(other != base);
  CHECK(matching_preset(other) == nullptr);
}

TEST_CASE("voices are switched bit by bit, in the order of their names") {
  MusicParameters parameters;
  parameters.voices = 0b0100;
  CHECK_FALSE(parameters.has(VoiceGroup::kPads));
  CHECK_FALSE(parameters.has(VoiceGroup::kMelody));
  CHECK(parameters.has(VoiceGroup::kKicks));
  CHECK_FALSE(parameters.has(VoiceGroup::kSwells));
  CHECK(kVoiceGroupNames[static_cast<std::size_t>(VoiceGroup::kKicks)] == "kicks");
}

TEST_CASE("every number is valid at both ends of its range, and invalid beyond them or as NaN") {
  for (const auto& control : kNumberControls) {
    CAPTURE(control.name);
    MusicParameters parameters;
    float& value = parameters.*control.member;
    const auto min = static_cast<float>(control.min);
    const auto max = static_cast<float>(control.max);
    for (const float good : {min, max}) {
      value = good;
      CHECK(valid(parameters));
    }
    for (const float bad :
         {std::nextafter(min, -1e9F), std::nextafter(max, 1e9F), std::nanf(""),
          std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
      value = bad;
      CHECK_FALSE(valid(parameters));
    }
  }
}

TEST_CASE("a key, mode or voice that does not exist is not valid") {
  MusicParameters parameters;
  CHECK(valid(parameters));
  SUBCASE("key") { parameters.key = 12; }
  SUBCASE("mode") { parameters.mode = static_cast<Mode>(6); }
  SUBCASE("voices") { parameters.voices = 0b10000; }
  SUBCASE("reserved") { parameters.reserved = 1; }
  CHECK_FALSE(valid(parameters));
}

}  // namespace
}  // namespace auralis::music_parameters_test
