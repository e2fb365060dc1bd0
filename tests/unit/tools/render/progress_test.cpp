// SPDX-License-Identifier: MIT
#include "tools/render/progress.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>
#include <array>
#include <limits>

using namespace auralis;

TEST_CASE("times are minutes and seconds, with hours if there are any, rounded down") {
  CHECK(clock_text(0) == "0:00");
  CHECK(clock_text(7.99) == "0:07");
  CHECK(clock_text(754) == "12:34");
  CHECK(clock_text(3'723) == "1:02:03");
  CHECK(clock_text(-5) == "0:00");
  CHECK(clock_text(std::numeric_limits<double>::infinity()) == "277777:46:40");
}

TEST_CASE("nothing is drawn except on a terminal") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_NONBLOCK) == 0);
  {
    Progress progress(ends[1], 44'100, 44'100);
    progress.begin();
    progress.show(22'050);
    progress.clear();
  }
  char byte = 0;
  CHECK(::read(ends[0], &byte, 1) == -1);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("the speed is music rendered by time passed") {
  Progress progress(-1, 44'100, 44'100);
  progress.begin();
  const double speed = progress.speed(std::int64_t{44'100} * 3'600);
  CHECK(speed * progress.elapsed_seconds() >= 3'600 * 0.99);
  CHECK(progress.speed(0) == 0);
}
