// SPDX-License-Identifier: MIT
#include "streamd/control/time_slice.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/unit/support.h"

namespace auralis::time_slice_test {
namespace {

struct Fixture {
  test::ManualClock clock;
  TimeSlice slice;
  std::vector<std::size_t> seen;

  // Each item takes a millisecond.
  void run(std::int64_t limit_ms, std::size_t count) {
    seen.clear();
    slice.run(clock, limit_ms * kNsPerMs, count, [&](std::size_t index) {
      seen.push_back(index);
      clock.now += kNsPerMs;
    });
  }
};

TEST_CASE_FIXTURE(Fixture, "if all items fit into the time, each is visited once per call") {
  for (int round = 0; round < 3; ++round) {
    run(10, 4);
    CHECK(seen.size() == 4);
  }
  run(10, 0);
  CHECK(seen.empty());
}

TEST_CASE_FIXTURE(Fixture, "however many items there are, the time is kept and each gets its turn") {
  const std::int64_t began_ns = clock.now;
  run(3, 8);
  CHECK(seen == std::vector<std::size_t>{0, 1, 2});
  CHECK(clock.now - began_ns == 3 * kNsPerMs);
  run(3, 8);
  CHECK(seen == std::vector<std::size_t>{3, 4, 5});
  run(3, 8);
  CHECK(seen == std::vector<std::size_t>{6, 7, 0});
  run(3, 2);  // fewer than before
  CHECK(seen.size() == 2);
  run(0, 8);
  CHECK(seen.size() == 1);
}

}  // namespace
}  // namespace auralis::time_slice_test
