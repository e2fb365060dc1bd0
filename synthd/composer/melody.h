// SPDX-License-Identifier: MIT
// The melody: notes on the eighths of a bar that keep near a slow contour. Pure functions; any thread.
#pragma once

#include "common/audio_segment.h"
#include "synthd/composer/harmony.h"
#include "synthd/composer/score.h"

namespace auralis {

// Chances of a note to be a tone of the bar's chord, another tone of the scale, or one outside it; in
// percent.
struct ToneShares {
  std::uint32_t chord;
  std::uint32_t scale;
  std::uint32_t chromatic;
};

// 70, 25 and 5 at complexity 0, moving to 40, 40 and 20 at 1.
ToneShares tone_shares(float complexity);

// No note lies further from the one before it in its bar, in semitones.
inline constexpr int kLargestLeap = 9;

// Adds the melody notes that start in `bar`. They last 2 to 5 s at intensity 0, 0.5 to 2 s at 1.
void compose_melody(std::uint64_t seed, const BarRecord& bar, const Chord& chord, std::uint32_t sample_rate,
                    Score& score);

}  // namespace auralis
