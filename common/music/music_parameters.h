// SPDX-License-Identifier: MIT
// The controls of the music: their names, ranges and presets. Shared by streamd, which accepts them, and the
// composer, which applies them; passed through shared memory as plain bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace auralis {

enum class Mode : std::uint8_t { kAeolian, kDorian, kPhrygian, kLydian, kIonian, kMixolydian };
inline constexpr std::array<std::string_view, 6> kModeNames{"aeolian", "dorian", "phrygian",
                                                            "lydian",  "ionian", "mixolydian"};
inline constexpr std::array<std::string_view, 12> kKeyNames{"C",  "C#", "D",  "D#", "E",  "F",
                                                            "F#", "G",  "G#", "A",  "A#", "B"};

// Groups of voices that can be switched; the order of the bits in MusicParameters::voices.
enum class VoiceGroup : std::uint8_t { kPads, kMelody, kKicks, kSwells };
inline constexpr std::array<std::string_view, 4> kVoiceGroupNames{"pads", "melody", "kicks", "swells"};

struct MusicParameters {
  std::uint8_t key = 0;  // pitch class of the root, 0 = C to 11 = B
  Mode mode = Mode::kAeolian;
  std::uint8_t voices = 0b1111;  // bit per VoiceGroup, 1 = on
  std::uint8_t reserved = 0;
  float bpm = 60;                          // beats a minute; a bar has four beats
  float intensity = 0.5F;                  // 0 to 1
  float melody_complexity = 0.3F;          // 0 to 1: 0 keeps to chord and scale, 1 wanders
  float chord_progression_variety = 0.3F;  // 0 to 1: blends the chord matrix towards uniform
  float harmonic_density = 0.3F;           // 0 to 1: sevenths, ninths, doublings

  bool has(VoiceGroup group) const { return (voices >> static_cast<unsigned>(group) & 1U) != 0; }
};
static_assert(std::is_trivially_copyable_v<MusicParameters> && sizeof(MusicParameters) == 24);

bool operator==(const MusicParameters& a, const MusicParameters& b);
inline bool operator!=(const MusicParameters& a, const MusicParameters& b) { return !(a == b); }

// A numeric parameter: its name on the wire, its range, and its member.
struct NumberControl {
  std::string_view name;
  double min;
  double max;
  float MusicParameters::*member;
};
inline constexpr std::array<NumberControl, 5> kNumberControls{{
    {"bpm", 40, 120, &MusicParameters::bpm},
    {"intensity", 0, 1, &MusicParameters::intensity},
    {"melody_complexity", 0, 1, &MusicParameters::melody_complexity},
    {"chord_progression_variety", 0, 1, &MusicParameters::chord_progression_variety},
    {"harmonic_density", 0, 1, &MusicParameters::harmonic_density},
}};

struct Preset {
  std::string_view name;
  MusicParameters parameters;
};
// In the order of the fields. The calmer a preset, the plainer its melody and chords.
inline constexpr std::array<Preset, 4> kPresets{{
    {"focus", {2, Mode::kDorian, 0b1111, 0, 60, 0.5F, 0.4F, 0.4F, 0.5F}},
    {"meditation", {0, Mode::kAeolian, 0b1111, 0, 50, 0.3F, 0.2F, 0.2F, 0.3F}},
    {"sleep", {4, Mode::kPhrygian, 0b1111, 0, 40, 0.2F, 0.1F, 0.1F, 0.2F}},
    {"bright", {7, Mode::kLydian, 0b1111, 0, 70, 0.6F, 0.6F, 0.5F, 0.6F}},
}};

std::optional<Mode> mode_from_name(std::string_view name);
std::optional<std::uint8_t> key_from_name(std::string_view name);

// The preset called `name`, or null.
const Preset* find_preset(std::string_view name);

// The preset whose parameters are exactly these, or null.
const Preset* matching_preset(const MusicParameters& parameters);

// Whether every field is in range; bytes from another process are validated before use.
bool valid(const MusicParameters& parameters);

}  // namespace auralis
