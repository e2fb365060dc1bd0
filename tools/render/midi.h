// SPDX-License-Identifier: MIT
// A station's composition as a Standard MIDI File ("Standard MIDI Files 1.0", MIDI Manufacturers Association,
// RP-001): format 1, a first track for tempo, metre and key, then one for each group of voices. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string>

#include "common/music/parameter_history.h"

namespace auralis {

inline constexpr std::int64_t kMidiTicksPerBeat = 480;

struct MidiPiece {
  std::uint64_t seed = 0;
  ParameterHistory history;  // groups that are off leave their tracks empty
  Timeline timeline;
  std::int64_t first_frame = 0;
  std::int64_t frames = 0;
};

struct MidiFile {
  std::string bytes;
  std::size_t notes = 0;
};

// The notes that start in the piece, in full length. The file begins with the bar that contains the first
// frame, so that bars lie on the grid. Kicks are bass drums on the drum channel; a swell, which has no pitch,
// is a middle C.
MidiFile midi_file(const MidiPiece& piece);

}  // namespace auralis
