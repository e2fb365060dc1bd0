// SPDX-License-Identifier: MIT
#include "metricsd/station_rings.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

namespace auralis::station_rings_test {
namespace {

constexpr Timeline kTimeline{1'000, 44'100, 4'410, 2};

struct Fixture {
  test::TempDir dir;
  OwnMetricsMemory own;
  StationRings rings{dir.path(), own};
  std::optional<AudioWriter> synthd;

  void start_synthd(std::size_t rows = 4) {
    synthd.emplace(dir.path(), kTimeline, 20, rows);
    synthd->publish(1);
  }
  void open(std::size_t row, const std::string& name, bool personal = false) {
    StationState state = named_state(name);
    state.personal = personal ? 1 : 0;
    state.history = begun_with(kPresets[0].parameters);
    synthd->open(row, state);
  }
  bool has_label(const std::string& name) const {
    for (std::size_t i = 0; i < kStationLabels; ++i) {
      if (own.late_label(i) == name) return true;
    }
    return false;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "StationRings: without a segment there are no stations") {
  rings.refresh();
  CHECK(rings.stations().empty());
  CHECK_FALSE(rings.reader().ready());
}

TEST_CASE_FIXTURE(Fixture, "StationRings: configured stations have labels of their own, personal ones none") {
  start_synthd();
  open(0, "day");
  open(1, "p0123456789abcdef", true);
  open(3, "night");
  rings.refresh();
  const auto& stations = rings.stations();
  REQUIRE(stations.size() == 3);
  CHECK(stations[0].id.index == 0);
  CHECK(own.late_label(stations[0].label.value()) == "day");
  CHECK(stations[1].personal);
  CHECK_FALSE(stations[1].label);
  CHECK(own.late_label(stations[2].label.value()) == "night");
}

TEST_CASE_FIXTURE(Fixture,
                  "StationRings: the version rises with the table and with the segment, and only then") {
  rings.refresh();
  start_synthd();
  rings.refresh();
  const auto attached = rings.version();
  rings.refresh();
  CHECK(rings.version() == attached);
  open(0, "day");
  rings.refresh();
  CHECK(rings.version() > attached);
  const auto opened = rings.version();
  synthd.reset();
  start_synthd();
  rings.refresh();
  CHECK(rings.version() > opened);
}

TEST_CASE_FIXTURE(Fixture,
                  "StationRings: a station that is closed loses its label, which another one may get") {
  start_synthd(kStationLabels + 1);
  for (std::size_t i = 0; i <= kStationLabels; ++i) open(i, "station" + std::to_string(i));
  rings.refresh();
  const auto unlabelled = [&] {
    return std::count_if(rings.stations().begin(), rings.stations().end(),
                         [](const StationRing& ring) { return !ring.label; });
  };
  CHECK(unlabelled() == 1);
  synthd->close(2);
  rings.refresh();
  CHECK(unlabelled() == 0);
  CHECK_FALSE(has_label("station2"));
  CHECK(has_label("station" + std::to_string(kStationLabels)));
}

TEST_CASE_FIXTURE(Fixture, "StationRings: the labels stay while there is no segment") {
  start_synthd();
  open(0, "day");
  rings.refresh();
  synthd.reset();
  for (const auto& segment : std::filesystem::directory_iterator(dir.path()))
    std::filesystem::remove(segment);
  rings.refresh();
  CHECK(has_label("day"));
}

}  // namespace auralis::station_rings_test
