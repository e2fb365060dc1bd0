// SPDX-License-Identifier: MIT
#include "synthd/composer/arc.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <vector>

namespace auralis::arc_test {

TEST_CASE("the arc stays in its bounds, uses most of its range, and moves little from bar to bar") {
  int fullest = 0;
  int highest = 0;
  for (std::int64_t bar = 0; bar < 5'000; ++bar) {
    const Arc arc = arc_at(7, bar);
    const Arc next = arc_at(7, bar + 1);
    CAPTURE(bar);
    REQUIRE(std::abs(arc.fullness) <= kArcFullness);
    REQUIRE(std::abs(arc.height) <= kArcSemitones);
    REQUIRE(std::abs(next.fullness - arc.fullness) <= kArcFullness / 8);
    REQUIRE(std::abs(next.height - arc.height) <= 1);
    fullest = std::max(fullest, std::abs(arc.fullness));
    highest = std::max(highest, std::abs(arc.height));
  }
  CHECK(fullest > kArcFullness * 9 / 10);
  CHECK(highest == kArcSemitones);
}

TEST_CASE("each seed has its own arc, independent of earlier calls") {
  const auto signature = [](std::uint64_t seed) {
    std::vector<int> points;
    for (std::int64_t bar = 0; bar < 200; bar += 10) points.push_back(arc_at(seed, bar).fullness);
    return points;
  };
  std::set<std::vector<int>> all;
  for (std::uint64_t seed = 0; seed < 50; ++seed) all.insert(signature(seed));
  CHECK(all.size() == 50);
  CHECK(signature(3) == signature(3));
}

}  // namespace auralis::arc_test
