// SPDX-License-Identifier: MIT
#include "metricsd/run.h"

#include "tests/unit/support.h"

#include <doctest/doctest.h>

namespace auralis::metricsd_run_test {

TEST_CASE("begin_run: has the time of its start, and an id that no other run has") {
  test::ManualClock clock;
  clock.now = 64'467'000'007 * kNsPerMs;  // since the clock's epoch, 1,700,000,000 s of Unix time
  const Run run = begin_run(clock);
  CHECK(run.start == "2025-11-30T01:43:20.007Z");
  CHECK(run.id.size() == 16);
  CHECK(run.id.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(begin_run(clock).id != run.id);
}

}  // namespace auralis::metricsd_run_test
