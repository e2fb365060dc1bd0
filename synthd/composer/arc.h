// SPDX-License-Identifier: MIT
// The long run of a station's music: over minutes it gets fuller and thinner, and moves up and down, so that
// an hour is not one minute repeated. Straight lines between random points, a function of the bar alone. Any
// thread.
#pragma once

#include <cstdint>

namespace auralis {

struct Arc {
  int fullness = 0;  // -kArcFullness to kArcFullness: how much more, or less, than the controls say
  int height = 0;    // -kArcSemitones to kArcSemitones, from where pads and melody lie
};
inline constexpr int kArcFullness = 64;
inline constexpr int kArcSemitones = 4;

Arc arc_at(std::uint64_t seed, std::int64_t bar);

}  // namespace auralis
