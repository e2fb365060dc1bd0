// SPDX-License-Identifier: MIT
// The melody: phrases of four bars, notes on their eighths that keep near a slow contour, and a breath at the
// end of each. Pure functions; any thread.
#pragma once

#include "common/music/parameter_history.h"
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

inline constexpr int kPhraseBars = 4;

// Semitones from a note to the next one in its bar, at most; notes of two bars only share the contour.
inline constexpr int kLargestLeap = 7;

// Adds the melody notes that start in `bar`. They last 2 to 5 s at intensity 0, 0.5 to 2 s at 1, and are the
// more the higher that is.
void compose_melody(std::uint64_t seed, const BarRecord& bar, const Chord& chord, std::uint32_t sample_rate,
                    Score& score);

}  // namespace auralis
