// SPDX-License-Identifier: MIT
// Composes a station's music bar by bar. The notes of a bar are a pure function of (seed, its record, sample
// rate): no bar depends on another, and bar 1,000,000 costs as much as bar 1. Independent of synthesis and of
// shared memory. Any thread.
#pragma once

#include <cstdint>

#include "common/music/parameter_history.h"
#include "synthd/composer/score.h"

namespace auralis {

// Lowest intensity that has kicks.
inline constexpr float kKickIntensity = 0.3F;

// Returns the notes of all groups that start in `bar`, including groups that are switched off: the mixer
// mutes those. Notes may sound beyond the bar, for as long as Bars::kMost allows.
Score compose_bar(std::uint64_t seed, const BarRecord& bar, std::uint32_t sample_rate);

}  // namespace auralis
