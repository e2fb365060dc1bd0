// SPDX-License-Identifier: MIT
// Output of the composer: the notes that start in one bar. Plain values; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/music/music_parameters.h"

namespace auralis {

struct Note {
  std::int64_t start_frame = 0;   // on the station's sample axis
  std::uint32_t gate_frames = 0;  // how long the note is held; the voice's release follows
  std::uint32_t seed = 0;         // of noise and initial phases
  VoiceGroup group = VoiceGroup::kPads;
  std::uint8_t pitch = 0;  // MIDI note number, 69 = 440 Hz; unused for kicks and swells
  float accent = 1;        // 0 to 1, relative to the other notes of its group
  float pan = 0;           // -1 left to 1 right
};

struct Score {
  // Seven pads and a suspension, eight melody notes (one per eighth), a kick and a swell.
  static constexpr std::size_t kMaxNotes = 18;

  std::array<Note, kMaxNotes> notes;
  std::size_t count = 0;

  void add(const Note& note) { notes.at(count++) = note; }
  const Note* begin() const { return notes.data(); }
  const Note* end() const { return notes.data() + count; }
};

}  // namespace auralis
