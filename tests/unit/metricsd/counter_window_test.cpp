// SPDX-License-Identifier: MIT
#include "metricsd/counter_window.h"

#include <cmath>
#include <limits>

#include "common/base/clock.h"

#include <doctest/doctest.h>

namespace auralis::counter_window_test {

using auralis::CounterWindow;
using auralis::kNsPerSecond;

TEST_CASE("CounterWindow: a single sample gives no change, nor do two within a moment") {
  CounterWindow window(60 * kNsPerSecond);
  CHECK_FALSE(window.over(kNsPerSecond));
  window.add(0, {5});
  CHECK_FALSE(window.over(60 * kNsPerSecond));
  window.add(kNsPerSecond / 100, {6});
  CHECK_FALSE(window.over(60 * kNsPerSecond));
  window.add(kNsPerSecond, {7});
  CHECK(window.over(60 * kNsPerSecond));
}

TEST_CASE("CounterWindow: the change is that of the span, and samples before the window are forgotten") {
  CounterWindow window(10 * kNsPerSecond);
  for (int second = 0; second <= 30; ++second) window.add(second * kNsPerSecond, {second * 3.0});
  const auto lately = window.over(5 * kNsPerSecond);
  REQUIRE(lately);
  CHECK(lately->seconds == doctest::Approx(5));
  CHECK(lately->amount[0] == doctest::Approx(15));
  const auto all = window.over(1'000 * kNsPerSecond);
  REQUIRE(all);
  CHECK(all->seconds == doctest::Approx(10));
}

TEST_CASE("CounterWindow: a counter that falls restarts the window") {
  CounterWindow window(60 * kNsPerSecond);
  window.add(0, {100, 0});
  window.add(kNsPerSecond, {110, 7});
  REQUIRE(window.over(60 * kNsPerSecond));
  window.add(2 * kNsPerSecond, {3, 8});
  CHECK_FALSE(window.over(60 * kNsPerSecond));
  window.add(3 * kNsPerSecond, {5, 9});
  REQUIRE(window.over(60 * kNsPerSecond));
  CHECK(window.over(60 * kNsPerSecond)->amount[0] == doctest::Approx(2));
  CHECK(window.over(60 * kNsPerSecond)->amount[1] == doctest::Approx(1));
}

TEST_CASE("CounterWindow: a counter that is missing leaves the others alone") {
  const double none = std::numeric_limits<double>::quiet_NaN();
  CounterWindow window(60 * kNsPerSecond);
  window.add(0, {none, 1});
  window.add(kNsPerSecond, {4, 3});
  const auto change = window.over(60 * kNsPerSecond);
  REQUIRE(change);
  CHECK(std::isnan(change->amount[0]));
  CHECK(change->amount[1] == doctest::Approx(2));
}

TEST_CASE("CounterWindow: what must not span a gap begins after it") {
  CounterWindow window(60 * kNsPerSecond);
  window.add(0, {0});
  window.add(kNsPerSecond, {10});
  window.add(kNsPerSecond + CounterWindow::kGapNs + 1, {11});
  CHECK_FALSE(window.unbroken(60 * kNsPerSecond));
  REQUIRE(window.over(60 * kNsPerSecond));
  CHECK(window.over(60 * kNsPerSecond)->amount[0] == doctest::Approx(11));
  window.add(2 * kNsPerSecond + CounterWindow::kGapNs + 1, {21});
  REQUIRE(window.unbroken(60 * kNsPerSecond));
  CHECK(window.unbroken(60 * kNsPerSecond)->seconds == doctest::Approx(1));
  CHECK(window.unbroken(60 * kNsPerSecond)->amount[0] == doctest::Approx(10));
}

}  // namespace auralis::counter_window_test
