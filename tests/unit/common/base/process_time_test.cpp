// SPDX-License-Identifier: MIT
#include "common/base/process_time.h"

#include <doctest/doctest.h>

#include "tests/unit/support.h"

namespace auralis::process_time_test {
namespace {

constexpr std::int64_t kMaxStepNs = 500 * kNsPerMs;

struct Fixture {
  test::ManualClock clock;
  ProcessTime time{clock, kMaxStepNs};
  const std::int64_t begin_ns = clock.now;

  std::int64_t passed_ns() const { return time.now_ns() - begin_ns; }
};

TEST_CASE_FIXTURE(Fixture, "time that is stepped through is counted in full") {
  CHECK(passed_ns() == 0);
  for (int step = 0; step < 100; ++step) {
    clock.now += kMaxStepNs;
    CHECK(passed_ns() == (step + 1) * kMaxStepNs);
    CHECK(time.step());
    CHECK(passed_ns() == (step + 1) * kMaxStepNs);
  }
}

TEST_CASE_FIXTURE(Fixture, "an absence counts for at most the longest step, before and after the next step") {
  clock.now += 3'600 * kNsPerSecond;
  CHECK(passed_ns() == kMaxStepNs);
  CHECK(time.absent_ns() == 3'600 * kNsPerSecond - kMaxStepNs);
  CHECK_FALSE(time.step());
  CHECK(passed_ns() == kMaxStepNs);
  CHECK(time.absent_ns() == 3'600 * kNsPerSecond - kMaxStepNs);
  clock.now += kNsPerMs;
  CHECK(passed_ns() == kMaxStepNs + kNsPerMs);
  clock.now += 3'600 * kNsPerSecond;
  time.step();
  CHECK(passed_ns() == 2 * kMaxStepNs);
}

TEST_CASE_FIXTURE(Fixture, "it never goes back, whatever the sequence of steps and absences") {
  std::int64_t before_ns = time.now_ns();
  for (const std::int64_t gap_ms : {1, 499, 500, 501, 10'000, 0, 3, 60'000, 500}) {
    clock.now += gap_ms * kNsPerMs;
    CHECK(time.now_ns() >= before_ns);
    before_ns = time.now_ns();
    time.step();
    CHECK(time.now_ns() == before_ns);
  }
}

TEST_CASE_FIXTURE(Fixture, "wall time continues during an absence") {
  const std::int64_t before_ns = time.unix_ns();
  clock.now += 3'600 * kNsPerSecond;
  CHECK(time.unix_ns() - before_ns == 3'600 * kNsPerSecond);
}

}  // namespace
}  // namespace auralis::process_time_test
