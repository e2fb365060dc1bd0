// SPDX-License-Identifier: MIT
// Bars and notes for the tests of the composer.
#pragma once

#include <cstdint>
#include <vector>

#include "synthd/composer/composer.h"

namespace auralis::test {

inline constexpr std::uint32_t kSampleRate = 44'100;
inline constexpr std::uint64_t kSeed = 42;

inline BarRecord bar_at(std::int64_t index, const MusicParameters& parameters) {
  BarRecord bar;
  bar.index = index;
  bar.frames = bar_frames(parameters.bpm, kSampleRate);
  bar.start_frame = index * bar.frames;
  bar.parameters = parameters;
  return bar;
}

inline std::vector<Note> notes_of(VoiceGroup group, int bars, const MusicParameters& parameters) {
  std::vector<Note> notes;
  for (int index = 0; index < bars; ++index) {
    for (const Note& note : compose_bar(kSeed, bar_at(index, parameters), kSampleRate)) {
      if (note.group == group) notes.push_back(note);
    }
  }
  return notes;
}

}  // namespace auralis::test
