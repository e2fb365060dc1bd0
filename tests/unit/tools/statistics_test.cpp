// SPDX-License-Identifier: MIT
#include "tools/statistics.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

namespace auralis::statistics_test {
namespace {

using Step = ChunkSequence::Step;

TEST_CASE("a percentile is never below the true one, and above it by less than one part in 128") {
  std::mt19937_64 random(1);
  // From microseconds to minutes.
  std::lognormal_distribution<double> times(8, 3);
  std::vector<std::int64_t> all;
  LatencyHistogram histogram;
  for (int i = 0; i < 50'000; ++i) {
    all.push_back(std::llround(times(random)));
    histogram.add(all.back());
  }
  std::sort(all.begin(), all.end());
  CHECK(histogram.count() == all.size());
  CHECK(histogram.max_us() == all.back());
  for (const double share : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.99999, 1.0}) {
    CAPTURE(share);
    const auto rank = std::max(1.0, std::ceil(share * static_cast<double>(all.size())));
    const std::int64_t exact = all.at(static_cast<std::size_t>(rank) - 1);
    const std::int64_t told = *histogram.percentile_us(share);
    CHECK(told >= exact);
    CHECK(static_cast<double>(told) <= static_cast<double>(exact) * (1 + 1.0 / 128));
  }
  CHECK(histogram.percentile_us(1) == all.back());
}

TEST_CASE("a histogram takes every time there is, and of none says nothing") {
  LatencyHistogram histogram;
  CHECK_FALSE(histogram.percentile_us(0.5).has_value());
  for (std::int64_t us = 1; us > 0 && us < (std::int64_t{1} << 62); us *= 2) {
    histogram.add(us - 1);
    histogram.add(us);
  }
  CHECK(histogram.percentile_us(1) == std::int64_t{1} << 61);
  histogram.add(-5);
  CHECK(histogram.percentile_us(0) == 0);
}

TEST_CASE("lateness is counted from the earliest chunk, also from one that comes after late ones") {
  LatencyHistogram lateness;
  LatenessWindow window;
  constexpr std::int64_t kFarOrigin = 4'000'000'000'000'000;
  for (const std::int64_t late_us : {70, 100, 30, 31, 200}) window.add(kFarOrigin + late_us, lateness);
  CHECK(lateness.count() == 0);
  window.flush(lateness);
  CHECK(lateness.count() == 5);
  CHECK(lateness.percentile_us(0.2) == 0);
  CHECK(lateness.percentile_us(0.4) == 1);
  CHECK(lateness.percentile_us(0.6) == 40);
  CHECK(lateness.percentile_us(0.8) == 70);
  CHECK(lateness.percentile_us(1) == 170);
  window.flush(lateness);
  CHECK(lateness.count() == 5);
}

TEST_CASE("the earliest chunk counts for as long as there are chunks, in memory that does not grow") {
  LatencyHistogram lateness;
  LatenessWindow window;
  window.add(-1'000, lateness);
  for (std::size_t i = 0; i < 10 * LatenessWindow::kWindow; ++i) window.add(0, lateness);
  CHECK(lateness.count() >= 9 * LatenessWindow::kWindow);
  window.flush(lateness);
  CHECK(lateness.count() == 10 * LatenessWindow::kWindow + 1);
  CHECK(*lateness.percentile_us(0.5) >= 1'000);
  CHECK(lateness.max_us() == 1'000);
}

TEST_CASE("each listener is measured by a line of its own") {
  LatencyHistogram lateness;
  std::vector<LatenessWindow> windows(3);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    for (int k = 0; k < 10; ++k) windows[i].add(static_cast<std::int64_t>(i) * 33'000 + k % 2, lateness);
    windows[i].flush(lateness);
  }
  CHECK(lateness.count() == 30);
  CHECK(lateness.max_us() == 1);
}

TEST_CASE("gaps and repeats of a sequence are told, and what is missing is counted") {
  ChunkSequence sequence;
  CHECK(sequence.note(1'000) == Step::kFirst);
  CHECK(sequence.note(1'001) == Step::kNext);
  CHECK(sequence.note(1'005) == Step::kGap);
  CHECK(sequence.missing() == 3);
  CHECK(sequence.note(1'006) == Step::kNext);
  CHECK(sequence.missing() == 0);
  CHECK(sequence.note(1'006) == Step::kRepeat);
  CHECK(sequence.note(1'002) == Step::kRepeat);
  CHECK(sequence.missing() == 0);
  CHECK(sequence.note(1'007) == Step::kNext);
}

}  // namespace
}  // namespace auralis::statistics_test
