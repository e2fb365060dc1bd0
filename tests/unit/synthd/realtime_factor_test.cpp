// SPDX-License-Identifier: MIT
#include "synthd/realtime_factor.h"

#include <doctest/doctest.h>

namespace auralis::realtime_factor_test {
namespace {

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;

TEST_CASE("without a batch there is no factor") { CHECK_FALSE(RealtimeFactor().value(kNsPerSecond)); }

TEST_CASE("one station that takes a tenth of a chunk's time is rendered ten times faster than real time") {
  RealtimeFactor factor;
  for (std::int64_t now_ns = kChunkNs; now_ns <= 4 * kNsPerSecond; now_ns += kChunkNs)
    factor.add(now_ns, 1, 1, kChunkNs, 10 * kNsPerMs);
  CHECK(factor.value(4 * kNsPerSecond).value() == doctest::Approx(10));
}

TEST_CASE("stations that take longer than a chunk together cannot be kept up with") {
  RealtimeFactor together;
  together.add(kNsPerSecond, 4, 4, kChunkNs, 2 * kChunkNs);
  CHECK(together.value(kNsPerSecond).value() == doctest::Approx(0.5));
  RealtimeFactor one_by_one;
  for (int station = 0; station < 4; ++station) one_by_one.add(kNsPerSecond, 1, 4, kChunkNs, kChunkNs / 2);
  CHECK(one_by_one.value(kNsPerSecond).value() == doctest::Approx(0.5));
}

TEST_CASE("a warm-up takes time and gives nothing to hear") {
  RealtimeFactor factor;
  factor.add(kNsPerSecond, 0, 1, kChunkNs, kChunkNs);
  CHECK(factor.value(kNsPerSecond) == 0);
  factor.add(kNsPerSecond, 1, 1, kChunkNs, kChunkNs);
  CHECK(factor.value(kNsPerSecond).value() == doctest::Approx(0.5));
}

TEST_CASE("a batch counts for some seconds") {
  RealtimeFactor factor;
  factor.add(0, 1, 1, kChunkNs, kChunkNs);
  factor.add(4 * kNsPerSecond, 1, 1, kChunkNs, kChunkNs / 4);
  CHECK(factor.value(4 * kNsPerSecond).value() == doctest::Approx(1.6));
  CHECK(factor.value(5 * kNsPerSecond).value() == doctest::Approx(4));
  CHECK(factor.value(8 * kNsPerSecond));
  CHECK_FALSE(factor.value(9 * kNsPerSecond));
}

}  // namespace
}  // namespace auralis::realtime_factor_test
