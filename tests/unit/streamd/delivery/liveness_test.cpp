// SPDX-License-Identifier: MIT
#include "streamd/delivery/liveness.h"

#include <doctest/doctest.h>

namespace auralis::liveness_test {
namespace {

using Action = Liveness::Action;
constexpr std::int64_t kIdleNs = 60 * kNsPerSecond;

TEST_CASE("a quiet listener is pinged at intervals, and given up after the idle time") {
  Liveness liveness(0);
  int pings = 0;
  for (std::int64_t second = 1; second < 60; ++second) {
    const Action action = liveness.check(second * kNsPerSecond, kIdleNs);
    REQUIRE(action != Action::kClose);
    if (action == Action::kPing) ++pings;
  }
  CHECK(pings == 3);
  CHECK(liveness.check(kIdleNs, kIdleNs) == Action::kClose);
}

TEST_CASE("a sign of life puts off the end, and not the next ping") {
  Liveness liveness(0);
  liveness.alive(Liveness::kPingIntervalNs - 1, std::nullopt);
  CHECK(liveness.check(Liveness::kPingIntervalNs, kIdleNs) == Action::kPing);
  CHECK(liveness.check(kIdleNs, kIdleNs) == Action::kPing);
  CHECK(liveness.check(Liveness::kPingIntervalNs - 1 + kIdleNs, kIdleNs) == Action::kClose);
}

TEST_CASE("three pings fit into any idle time") {
  constexpr std::int64_t kShortNs = 9 * kNsPerSecond;
  Liveness liveness(0);
  CHECK(liveness.check(kShortNs / 3 - 1, kShortNs) == Action::kWait);
  CHECK(liveness.check(kShortNs / 3, kShortNs) == Action::kPing);
}

TEST_CASE("the round trip is that of the newest answer to a ping") {
  Liveness liveness(0);
  CHECK_FALSE(liveness.round_trip_ns().has_value());
  liveness.alive(1, 30);
  liveness.alive(2, std::nullopt);
  CHECK(liveness.round_trip_ns() == 30);
}

}  // namespace
}  // namespace auralis::liveness_test
