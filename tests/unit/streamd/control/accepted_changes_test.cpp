// SPDX-License-Identifier: MIT
#include "streamd/control/accepted_changes.h"

#include <doctest/doctest.h>

namespace auralis::accepted_changes_test {
namespace {

constexpr StationId kDay{0, 1};
constexpr StationId kNight{1, 1};

struct Fixture {
  AcceptedChanges changes;
  StationState day = named_state("day");
  std::int64_t now_ns = 1'000 * kNsPerSecond;
  bool synthd_works = true;

  Fixture() { changes.add({kDay, "day", 7}, now_ns); }
  std::vector<AcceptedChanges::Change> look(std::int64_t later_ns = 0) {
    now_ns += later_ns;
    return changes.extract_void([this](const StationId& id) { return id == kDay ? &day : nullptr; },
                                synthd_works, now_ns);
  }
};

TEST_CASE_FIXTURE(Fixture, "a change that synthd has taken up is not taken back, however late") {
  CHECK(look(AcceptedChanges::kTakeUpNs - 1).empty());
  day.applied_request = 7;
  CHECK(look(1).empty());
  day.applied_request = 0;
  CHECK(look(AcceptedChanges::kTakeUpNs).empty());
}

TEST_CASE_FIXTURE(Fixture, "a change that a working synthd does not take up is taken back, once") {
  day.applied_request = 6;
  const auto taken_back = look(AcceptedChanges::kTakeUpNs);
  REQUIRE(taken_back.size() == 1);
  CHECK(taken_back[0].station == "day");
  CHECK(taken_back[0].request == 7);
  CHECK(look(AcceptedChanges::kTakeUpNs).empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "while synthd hangs or is away no change is taken back, and then it has its time") {
  synthd_works = false;
  CHECK(look(100 * kNsPerSecond).empty());
  synthd_works = true;
  CHECK(look(AcceptedChanges::kTakeUpNs - 1).empty());
  CHECK(look(1).size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a change of a station that is gone is taken back at once") {
  changes.add({kNight, "night", 3}, now_ns);
  const auto taken_back = look();
  REQUIRE(taken_back.size() == 1);
  CHECK(taken_back[0].station == "night");
}

TEST_CASE_FIXTURE(Fixture, "of several changes of a station the newest counts") {
  changes.add({kDay, "day", 8}, now_ns + kNsPerSecond);
  day.applied_request = 7;
  const auto taken_back = look(AcceptedChanges::kTakeUpNs + kNsPerSecond);
  REQUIRE(taken_back.size() == 1);
  CHECK(taken_back[0].request == 8);
}

}  // namespace
}  // namespace auralis::accepted_changes_test
