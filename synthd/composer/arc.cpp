// SPDX-License-Identifier: MIT
#include "synthd/composer/arc.h"

#include "synthd/composer/random_stream.h"

namespace auralis {
namespace {

// Bars from one random point to the next: one to two minutes at a common tempo. The two lengths differ, so
// that fullness and height rarely turn in the same bar.
constexpr int kFullnessBars = 20;
constexpr int kHeightBars = 28;

// Interpolates linearly at `bar` between random points `bars` apart, each from -range to range.
int along(std::uint64_t seed, Purpose purpose, std::int64_t bar, int bars, int range) {
  const auto point = [&](std::int64_t index) {
    return static_cast<int>(
               RandomStream(seed, purpose, index).below(2 * static_cast<std::uint32_t>(range) + 1)) -
           range;
  };
  const std::int64_t index = bar / bars;
  const int position = static_cast<int>(bar % bars);
  return (point(index) * (bars - position) + point(index + 1) * position) / bars;
}

}  // namespace

Arc arc_at(std::uint64_t seed, std::int64_t bar) {
  return {along(seed, Purpose::kFullness, bar, kFullnessBars, kArcFullness),
          along(seed, Purpose::kHeight, bar, kHeightBars, kArcSemitones)};
}

}  // namespace auralis
