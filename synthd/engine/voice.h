// SPDX-License-Identifier: MIT
// Voices, the input of an engine: plain values. Their sound is a function of the frame number alone, so a
// voice can be rendered from any frame, in any order. The formulas are in dsp/.
#pragma once

#include <cstddef>
#include <cstdint>

namespace auralis {

// In the order of the gains in StationChunk and of the voice groups on the device (dsp/layout.h).
enum class VoiceType : std::uint8_t {
  kPad,    // sine and saw, slow envelope
  kLead,   // harmonics that open and close, with vibrato and echoes
  kKick,   // falling sine
  kSwell,  // a band of noise that rises and falls
};
inline constexpr std::size_t kVoiceTypes = 4;

struct Voice {
  VoiceType type = VoiceType::kPad;
  std::int64_t start_frame = 0;       // on the station's sample axis
  std::uint32_t gate_frames = 0;      // hold time: pads and leads release after it, a swell ends with it
  std::uint32_t phase_increment = 0;  // 2^32 = one turn per frame; kick: the pitch that it falls to; swell:
                                      // centre frequency of its band at start and end
  std::uint32_t seed = 0;             // of noise and initial phases
  std::uint32_t echo_frames = 0;      // lead: distance between echoes; 0: none
  float gain = 0;
  float pan = 0;  // -1 left to 1 right
};

// How long voices sound after their gate; a kick has no gate: kKickMs is its whole length.
inline constexpr std::uint32_t kPadReleaseMs = 3'000;
inline constexpr std::uint32_t kLeadReleaseMs = 800;
inline constexpr std::uint32_t kKickMs = 1'500;

// Phase increment per frame of a frequency: 2^32 is one turn.
std::uint32_t increment_of(double hz, std::uint32_t sample_rate);

// Length of the voice in frames, including its release but not its echoes.
std::int64_t voice_frames(const Voice& voice, std::uint32_t sample_rate);

}  // namespace auralis
