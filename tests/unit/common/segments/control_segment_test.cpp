// SPDX-License-Identifier: MIT
#include "common/segments/control_segment.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <optional>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace auralis::control_segment_test {
namespace {

using test::TempDir;

ControlRequest request_of(std::uint64_t number, std::string_view preset = "sleep") {
  ControlRequest request;
  request.number = number;
  std::string_view("default").copy(request.station, kStationNameBytes - 1);
  request.history.count = 1;
  request.history.changes[0].parameters = find_preset(preset)->parameters;
  return request;
}

TEST_CASE("a reader sees the newest request of a slot, and by its version that there is one") {
  const TempDir dir;
  ControlReader reader(dir.path());
  reader.refresh();
  CHECK_FALSE(reader.ready());
  CHECK(reader.version(0) == 0);
  CHECK_FALSE(reader.request(0));

  ControlWriter writer(dir.path(), 1);
  reader.refresh();
  REQUIRE(reader.ready());
  CHECK(reader.version(0) == 0);
  CHECK_FALSE(reader.request(0));

  writer.store(0, request_of(1));
  writer.store(0, request_of(2, "bright"));
  CHECK(reader.version(0) == 2);
  CHECK(reader.version() == 2);
  REQUIRE(reader.request(0));
  CHECK(reader.request(0)->number == 2);
  CHECK(std::string_view(reader.request(0)->station) == "default");
  CHECK(reader.request(0)->history.changes[0].parameters == find_preset("bright")->parameters);
}

TEST_CASE("slots are apart, and there are no others") {
  const TempDir dir;
  ControlWriter writer(dir.path(), 1);
  writer.store(kMostStations - 1, request_of(1));
  ControlReader reader(dir.path());
  reader.refresh();
  CHECK(reader.request(kMostStations - 1));
  CHECK_FALSE(reader.request(kMostStations - 2));
  CHECK_THROWS_AS(reader.request(kMostStations), std::out_of_range);
  CHECK_THROWS_AS(writer.store(kMostStations, request_of(1)), std::out_of_range);
}

TEST_CASE(
    "a restarted writer finds the last request, so that numbers go on rising; the reader's version rises "
    "too") {
  const TempDir dir;
  ControlReader reader(dir.path());
  std::uint64_t version = 0;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    ControlWriter writer(dir.path(), 1);
    const auto last = writer.request(0);
    CHECK((last ? last->number : 0) == number - 1);
    writer.store(0, request_of(number));
    reader.refresh();
    REQUIRE(reader.request(0));
    CHECK(reader.request(0)->number == number);
    CHECK(reader.version(0) > version);
    version = reader.version(0);
  }
}

TEST_CASE("a request whose bytes are not valid is no request, for the reader and for a restarted writer") {
  const TempDir dir;
  ControlRequest request = request_of(1);
  SUBCASE("a key out of range") { request.history.changes[0].parameters.key = 12; }
  SUBCASE("not a number") { request.history.changes[0].parameters.bpm = std::nanf(""); }
  SUBCASE("no parameters") { request.history.count = 0; }
  SUBCASE("more changes than it can hold") { request.history.count = 9; }
  SUBCASE("a chunk before all") { request.chunk = -1; }
  SUBCASE("a name without an end") { request.station[kStationNameBytes - 1] = 'x'; }
  std::optional<ControlWriter> writer(std::in_place, dir.path(), 1);
  writer->store(0, request);
  ControlReader reader(dir.path());
  reader.refresh();
  CHECK_FALSE(reader.request(0));
  writer.reset();
  CHECK_FALSE(ControlWriter(dir.path(), 2).request(0));
}

TEST_CASE("a segment that is too small for the slots is not read") {
  const TempDir dir;
  SegmentWriter(dir.path() / "control", {SegmentKind::kControl, kControlLayoutVersion, 64, 0}).publish(1);
  ControlReader reader(dir.path());
  reader.refresh();
  CHECK_FALSE(reader.ready());
  CHECK_FALSE(reader.request(0));
  CHECK(reader.version(0) == 0);
  CHECK(reader.describe().find("is invalid") != std::string::npos);
}

TEST_CASE("a writer keeps its requests, whatever another process does to the file") {
  struct Harm {
    const char* what;
    std::function<void(const std::filesystem::path&)> inflict;
  };
  const std::vector<Harm> harms{
      {"noise",
       [](const auto& path) {
         std::mt19937_64 random(1);
         for (std::uint64_t offset = sizeof(SegmentHeader); offset < 8'192; offset += 8)
           test::poke(path, offset, random());
       }},
      {"cut short", [](const auto& path) { std::filesystem::resize_file(path, 0); }},
      {"removed", [](const auto& path) { std::filesystem::remove(path); }}};
  for (const Harm& harm : harms) {
    CAPTURE(harm.what);
    const TempDir dir;
    ControlWriter writer(dir.path(), 1);
    writer.store(1, request_of(4, "bright"));
    ControlReader reader(dir.path());
    reader.refresh();
    harm.inflict(dir.path() / "control");
    for (int tenth = 0; tenth < 10; ++tenth) writer.beat(2 + tenth);
    reader.refresh();
    REQUIRE(reader.ready());
    REQUIRE(reader.request(1));
    CHECK(reader.request(1)->number == 4);
    CHECK(reader.request(1)->history.changes[0].parameters == find_preset("bright")->parameters);
    for (const std::size_t unused : {0, 2, 3}) {
      const auto request = reader.request(unused);
      CHECK((!request || request->number == 0));
    }
    writer.store(1, request_of(5));
    CHECK(reader.request(1)->number == 5);
    // Nothing is stored again and again.
    const std::uint64_t version = reader.version();
    for (int tenth = 0; tenth < 10; ++tenth) writer.beat(20 + tenth);
    CHECK(reader.version() == version);
  }
}

}  // namespace
}  // namespace auralis::control_segment_test
