// SPDX-License-Identifier: MIT
#include "streamd/delivery/hole_tracker.h"

#include <doctest/doctest.h>

namespace auralis::hole_tracker_test {
namespace {

TEST_CASE(
    "a hole is reported when it begins and once its chunks are back for a while, and counts the missing") {
  HoleTracker tracker;
  CHECK_FALSE(tracker.note(99, std::nullopt));
  const auto begins = tracker.note(100, HoleCause::kUnderrun);
  REQUIRE(begins);
  CHECK(begins->first == 100);
  CHECK_FALSE(begins->over);
  // The later cause does not make it another hole, nor do a few chunks in between.
  CHECK_FALSE(tracker.note(101, HoleCause::kSynthdGone));
  for (std::int64_t chunk = 102; chunk < 105; ++chunk) CHECK_FALSE(tracker.note(chunk, std::nullopt));
  CHECK_FALSE(tracker.note(105, HoleCause::kUnderrun));
  CHECK(tracker.in_hole());
  for (std::int64_t i = 1; i < HoleTracker::kCalm; ++i) CHECK_FALSE(tracker.note(105 + i, std::nullopt));
  const auto over = tracker.note(105 + HoleTracker::kCalm, std::nullopt);
  REQUIRE(over);
  CHECK(over->over);
  CHECK(over->cause == HoleCause::kUnderrun);
  CHECK(over->first == 100);
  CHECK(over->missing == 3);
  CHECK_FALSE(tracker.in_hole());
  CHECK_FALSE(tracker.note(200, std::nullopt));
}

TEST_CASE("a chunk that is missing for several listeners counts once") {
  HoleTracker tracker;
  CHECK(tracker.note(7, HoleCause::kEncoding));
  CHECK_FALSE(tracker.note(7, HoleCause::kEncoding));
  CHECK(tracker.end()->missing == 1);
}

TEST_CASE("a hole whose station ends is over with it") {
  HoleTracker tracker;
  CHECK_FALSE(tracker.end());
  tracker.note(7, HoleCause::kUnderrun);
  tracker.note(8, HoleCause::kUnderrun);
  const auto over = tracker.end();
  REQUIRE(over);
  CHECK(over->over);
  CHECK(over->missing == 2);
  CHECK_FALSE(tracker.end());
}

TEST_CASE("each cause has a name of its own") {
  CHECK(hole_cause_name(HoleCause::kUnderrun) == "underrun");
  CHECK(hole_cause_name(HoleCause::kSynthdGone) == "synthd_gone");
  CHECK(hole_cause_name(HoleCause::kOverrun) == "overrun");
  CHECK(hole_cause_name(HoleCause::kBehind) == "behind");
  CHECK(hole_cause_name(HoleCause::kEncoding) == "encoding");
}

}  // namespace
}  // namespace auralis::hole_tracker_test
