// SPDX-License-Identifier: MIT
#include "common/metrics/station_labels.h"

#include "common/metrics/metrics_segment.h"

#include "tests/unit/support.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace auralis::station_labels_test {
namespace {

class StationMetrics {
  MetricBinder& m_;

 public:
  explicit StationMetrics(MetricBinder& m) : m_(m) {}
  Counter chunks = m_.counter("chunks_total", "Chunks", {late_label("station", 0)});
};

struct Fixture {
  test::TempDir dir;
  std::optional<MetricsWriter> writer;

  Fixture() { restart(); }
  // As a process that takes over the segment of its predecessor.
  void restart() {
    writer.reset();
    writer.emplace(dir.path(), declared_metrics<StationMetrics>(), 1, kNsPerSecond);
  }
};

TEST_CASE_FIXTURE(Fixture, "StationLabels: a station gets the first free label, and keeps it") {
  StationLabels labels(*writer);
  CHECK(labels.label_of("day") == std::size_t{0});
  CHECK(labels.label_of("night") == std::size_t{1});
  CHECK(labels.label_of("day") == std::size_t{0});
  CHECK(writer->late_label(0) == "day");
  CHECK(writer->late_label(1) == "night");
}

TEST_CASE_FIXTURE(Fixture, "StationLabels: after a restart a station has the label that it had before") {
  StationLabels(*writer).label_of("day");
  StationLabels(*writer).label_of("night");
  restart();
  StationLabels labels(*writer);
  labels.keep({"night", "dawn"});
  CHECK(writer->late_label(0).empty());
  CHECK(labels.label_of("dawn") == std::size_t{0});
  CHECK(labels.label_of("night") == std::size_t{1});
}

TEST_CASE_FIXTURE(Fixture, "StationLabels: keep() frees the labels of all other stations") {
  StationLabels labels(*writer);
  for (const char* name : {"day", "night", "dawn"}) labels.label_of(name);
  std::vector<std::string> released;
  labels.keep({"night"}, [&](std::size_t label) { released.push_back(writer->late_label(label)); });
  CHECK(released == std::vector<std::string>{"day", "dawn"});
  CHECK(writer->late_label(0).empty());
  CHECK(writer->late_label(1) == "night");
  CHECK(writer->late_label(2).empty());
  labels.keep({});
  CHECK(writer->late_label(1).empty());
}

TEST_CASE_FIXTURE(Fixture, "StationLabels: one station more than there are labels has none") {
  StationLabels labels(*writer);
  for (std::size_t i = 0; i < kStationLabels; ++i) CHECK(labels.label_of("station" + std::to_string(i)) == i);
  CHECK_FALSE(labels.label_of("more"));
  CHECK(labels.label_of("station7") == std::size_t{7});
  CHECK(writer->late_label(kStationLabels - 1) == "station" + std::to_string(kStationLabels - 1));
}

}  // namespace
}  // namespace auralis::station_labels_test
