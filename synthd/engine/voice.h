// SPDX-License-Identifier: MIT
// What an engine plays: voices, told as plain values. Their sound is a function of the frame number alone, so
// a voice may be rendered from any frame on, in any order. The formulas stand in dsp/voices.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace auralis {

// The order is that of the gains in StationChunk and of the kernel's loops.
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
  std::uint32_t gate_frames = 0;      // held so long: pads and leads release after it, a swell ends with it
  std::uint32_t phase_increment = 0;  // 2^32 = one turn a frame; of a kick: the pitch that it falls to; of a
                                      // swell: the middle of its band at its ends
  std::uint32_t seed = 0;             // noise, and phases at the start
  std::uint32_t echo_frames = 0;      // of a lead: from one echo to the next; 0: none
  float gain = 0;
  float pan = 0;  // -1 left to 1 right
};

// How long voices sound beyond their gate; a kick knows no gate.
inline constexpr std::uint32_t kPadReleaseMs = 3'000;
inline constexpr std::uint32_t kLeadReleaseMs = 800;
inline constexpr std::uint32_t kKickMs = 1'500;

// Phase increment of a frequency: 2^32 a turn.
std::uint32_t increment_of(double hz, std::uint32_t sample_rate);

// Frames from the start of the voice to its last sound, without its echoes.
std::int64_t voice_frames(const Voice& voice, std::uint32_t sample_rate);

}  // namespace auralis
