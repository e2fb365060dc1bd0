// SPDX-License-Identifier: MIT
// The melody: phrases of four bars, with notes on the eighths that follow a slow contour and a rest at the
// end of each phrase. Pure functions; any thread.
#pragma once

#include "common/music/parameter_history.h"
#include "synthd/composer/harmony.h"
#include "synthd/composer/score.h"

namespace auralis {

// Probabilities, in percent, that a note is a chord tone, another tone of the scale, or a chromatic tone.
struct ToneShares {
  std::uint32_t chord;
  std::uint32_t scale;
  std::uint32_t chromatic;
};

// Returns 70, 25 and 5 at complexity 0, moving linearly to 40, 40 and 20 at 1.
ToneShares tone_shares(float complexity);

inline constexpr int kPhraseBars = 4;

// Maximum interval between successive notes of a bar, in semitones; notes of different bars only share the
// contour.
inline constexpr int kLargestLeap = 7;

// Adds the melody notes that start in `bar`. They last 2 to 5 s at intensity 0, 0.5 to 2 s at 1; a higher
// intensity has more notes.
void compose_melody(std::uint64_t seed, const BarRecord& bar, const Chord& chord, std::uint32_t sample_rate,
                    Score& score);

}  // namespace auralis
