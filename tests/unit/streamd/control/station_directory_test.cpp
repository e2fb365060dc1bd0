// SPDX-License-Identifier: MIT
#include "streamd/control/station_directory.h"

#include <doctest/doctest.h>

namespace auralis::station_directory_test {
namespace {

struct Fixture {
  Fixture() {
    directory.stations = {{"default", {0, 1}, false, false},
                          {"night", {1, 3}, false, false},
                          {"p0123456789abcdef", {2, 5}, true, false}};
    directory.default_station = StationId{0, 1};
    directory.synthd_runs = true;
    directory.timeline = Timeline{};
  }

  StationDirectory directory;
};

// Returns the reason for which `work` is refused; nothing if it is not.
template <typename Work>
std::optional<StationRefusal> refusal_of(const Work& work) {
  try {
    work();
    return std::nullopt;
  } catch (const StationRefusal& refusal) {
    return refusal;
  }
}

TEST_CASE_FIXTURE(Fixture, "a station is found by its name, a personal one too, which no list names") {
  CHECK(station_by_name(directory, "night").id == StationId{1, 3});
  const StationRequest personal = station_by_name(directory, "p0123456789abcdef");
  CHECK(personal.id == StationId{2, 5});
  CHECK(personal.personal);
  CHECK(directory.names() == "default, night");
  CHECK(directory.find("day") == nullptr);
  CHECK(directory.find(StationId{1, 3})->name == "night");
  CHECK(directory.find(StationId{1, 5}) == nullptr);
  CHECK(directory.logged_name({1, 3}) == "night");
  CHECK(directory.logged_name({2, 5}) == "personal");
  CHECK(directory.logged_name({1, 5}).empty());
}

TEST_CASE_FIXTURE(Fixture, "\"default\" names the default station where none has that name") {
  CHECK(station_by_name(directory, "default").id == StationId{0, 1});
  directory.stations.erase(directory.stations.begin());
  CHECK(refusal_of([&] { station_by_name(directory, "default"); })->status() == 404);
  directory.default_station = StationId{1, 3};
  CHECK(station_by_name(directory, "default").name == "night");
}

TEST_CASE_FIXTURE(Fixture, "an unknown station is refused with the names of those that are there") {
  const auto unknown = refusal_of([&] { station_by_name(directory, "day"); });
  REQUIRE(unknown);
  CHECK(unknown->status() == 404);
  CHECK(unknown->code() == "unknown_station");
  CHECK(unknown->sentence.find("default, night") != std::string::npos);
  directory.stations.clear();
  const auto nothing_yet = refusal_of([&] { station_by_name(directory, "day"); });
  REQUIRE(nothing_yet);
  CHECK(nothing_yet->status() == 503);
  CHECK(nothing_yet->code() == "unavailable");
}

TEST_CASE_FIXTURE(Fixture, "a query without a station asks for the default one, which may not be there yet") {
  CHECK(station_by_query(directory, QueryFields("")).id == StationId{0, 1});
  CHECK(station_by_query(directory, QueryFields("ticket=t")).name == "default");
  directory.default_station.reset();
  CHECK(station_by_query(directory, QueryFields("")).id == StationId{});
  CHECK(station_by_query(directory, QueryFields("")).name.empty());
}

TEST_CASE_FIXTURE(Fixture, "a listener that comes back says which chunk it has") {
  CHECK(station_by_query(directory, QueryFields("station=night&after=77")).after == 77);
  CHECK(station_by_query(directory, QueryFields("after=0")).after == 0);
  CHECK(station_by_query(directory, QueryFields("station=new&after=5")).link);
  CHECK_FALSE(station_by_query(directory, QueryFields("station=night")).after);
  CHECK(station_by_query(directory, QueryFields("station=night&lead_ms=500&after=3")).lead_ms == 500);
  CHECK(station_by_query(directory, QueryFields("station=night")).lead_ms == 0);
  for (const char* const wrong : {"lead_ms=", "lead_ms=-1", "lead_ms=501", "lead_ms=1e2", "after=",
                                  "after=-1", "after=x", "after=1.5", "after=99999999999999999999"}) {
    const auto refusal = refusal_of([&] { station_by_query(directory, QueryFields(wrong)); });
    REQUIRE(refusal);
    CHECK(refusal->status() == 400);
  }
}

TEST_CASE_FIXTURE(Fixture, "a new station is asked for by its link, and a ticket for it names no station") {
  const StationRequest want = station_by_query(directory, QueryFields("station=new&seed=42&preset=sleep"));
  REQUIRE(want.link);
  CHECK(want.link->seed == 42);
  CHECK(want.ticket_station() == kNewStation);
  CHECK(station_by_query(directory, QueryFields("station=night")).ticket_station() == "night");
  CHECK(station_by_query(directory, QueryFields("station=p0123456789abcdef")).ticket_station() ==
        kNewStation);
  const auto bad = refusal_of([&] { station_by_query(directory, QueryFields("station=new&seed=x")); });
  REQUIRE(bad);
  CHECK(bad->status() == 400);
  CHECK(bad->code() == "bad_query");
}

TEST_CASE_FIXTURE(Fixture, "a link made at another sample rate or chunk length cannot be played here") {
  CHECK_FALSE(
      refusal_of([&] { station_by_query(directory, QueryFields("station=new&rate=44100&chunk=100")); }));
  const auto other =
      refusal_of([&] { station_by_query(directory, QueryFields("station=new&rate=48000&chunk=100")); });
  REQUIRE(other);
  CHECK(other->status() == 400);
  CHECK(other->sentence.find("48000") != std::string::npos);
  // Before synthd's timeline is known nothing contradicts it.
  directory.timeline.reset();
  CHECK_FALSE(
      refusal_of([&] { station_by_query(directory, QueryFields("station=new&rate=48000&chunk=100")); }));
}

TEST_CASE_FIXTURE(Fixture, "no station can be started while synthd is not running") {
  directory.synthd_runs = false;
  const auto refusal = refusal_of([&] { station_by_query(directory, QueryFields("station=new")); });
  REQUIRE(refusal);
  CHECK(refusal->status() == 503);
  CHECK_FALSE(refusal_of([&] { station_by_query(directory, QueryFields("station=night")); }));
}

TEST_CASE("the ticket is found in a query, and a query that cannot be parsed has none") {
  CHECK(QueryFields("station=night&ticket=abc").ticket() == "abc");
  CHECK(QueryFields("station=night").ticket().empty());
  CHECK(QueryFields("%zz&ticket=abc").ticket().empty());
}

TEST_CASE_FIXTURE(Fixture, "directories are equal if a listener could not tell them apart") {
  StationDirectory other = directory;
  CHECK(other == directory);
  other.stations[2].encoded = true;
  CHECK_FALSE(other == directory);
  other = directory;
  other.not_ready_reason = "silence";
  CHECK_FALSE(other == directory);
  other = directory;
  other.free_capacity = 1;
  CHECK_FALSE(other == directory);
}

}  // namespace
}  // namespace auralis::station_directory_test
