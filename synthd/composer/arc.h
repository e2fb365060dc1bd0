// SPDX-License-Identifier: MIT
// Large-scale form of a station's music: over minutes the texture gets denser and thinner and the register
// moves up and down, so that an hour is not one minute repeated. Piecewise linear between random points; a
// pure function of seed and bar. Any thread.
#pragma once

#include <cstdint>

namespace auralis {

struct Arc {
  int fullness = 0;  // -kArcFullness to kArcFullness: added to the density that the controls set
  int height = 0;    // -kArcSemitones to kArcSemitones: transposes the register of pads and melody
};
inline constexpr int kArcFullness = 64;
inline constexpr int kArcSemitones = 4;

Arc arc_at(std::uint64_t seed, std::int64_t bar);

}  // namespace auralis
