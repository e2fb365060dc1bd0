// SPDX-License-Identifier: MIT
// Composes a station's music bar by bar. What a bar holds is a pure function of (seed, its record, sample
// rate): no bar needs another one, and bar 1,000,000 costs what bar 1 costs. Knows nothing of sound or of
// shared memory. Any thread.
#pragma once

#include <cstdint>

#include "common/music/parameter_history.h"
#include "synthd/composer/score.h"

namespace auralis {

// Kicks begin at this intensity.
inline constexpr float kKickIntensity = 0.3F;

// The notes that start in `bar`, of all groups, switched on or not: switches are the mixer's. Notes may ring
// on after the bar, for as long as Bars::kMost allows.
Score compose_bar(std::uint64_t seed, const BarRecord& bar, std::uint32_t sample_rate);

}  // namespace auralis
