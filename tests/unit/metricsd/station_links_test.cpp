// SPDX-License-Identifier: MIT
#include "metricsd/station_links.h"

#include "common/music/permalink.h"
#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

namespace auralis::station_links_test {

using namespace test;

namespace {

struct StationsFixture : RuntimeFixture {
  StationsFixture() {
    StationState day = named_state("day");
    day.seed = 11;
    day.origin_chunk = 100;
    day.history = begun_with(kPresets[0].parameters);
    audio.open(0, day);
    StationState own = named_state("own");
    own.personal = 1;
    own.history = begun_with(kPresets[0].parameters);
    audio.open(1, own);
    audio.publish(clock.now);
  }

  Timeline timeline{clock.now, 44'100, 4'410, 2};
  AudioWriter audio{config.daemon_dir(Daemon::kSynthd), timeline, 20, 4};
  StationLinks links{config.daemon_dir(Daemon::kSynthd)};
};

}  // namespace

TEST_CASE_FIXTURE(StationsFixture,
                  "StationLinks: a link to the music shortly before a moment, in the station's own chunks") {
  const auto link = links.link("day", timeline.due_ns(500));
  REQUIRE(link);
  const Permalink parsed = permalink_of(query_fields(*link));
  CHECK(parsed.seed == 11);
  CHECK(parsed.chunk == 500 - 20 - 100);
  CHECK(parsed.chunk_ms == 100);
  CHECK(links.link("", timeline.due_ns(500)) == link);
}

TEST_CASE_FIXTURE(StationsFixture, "StationLinks: a moment before the station's beginning is its beginning") {
  CHECK(permalink_of(query_fields(links.link("day", clock.now).value())).chunk == 0);
}

TEST_CASE_FIXTURE(
    StationsFixture,
    "StationLinks: a moment has its chunk of the timeline, and a short link to the same music") {
  const auto moment = links.moment("day", timeline.due_ns(500));
  REQUIRE(moment);
  CHECK(moment->chunk == 500);
  CHECK(moment->link == "station=new&seed=11&rate=44100&chunk=100&at=380&changes=0");
  CHECK(links.moment("personal", timeline.due_ns(7))->chunk == 7);
  CHECK(links.moment("personal", timeline.due_ns(7))->link.empty());
  const TempDir empty;
  CHECK_FALSE(StationLinks(empty.path()).moment("day", clock.now));
}

TEST_CASE_FIXTURE(StationsFixture,
                  "StationLinks: none to personal stations, unknown ones, and without synthd") {
  CHECK_FALSE(links.link("own", clock.now));
  CHECK_FALSE(links.link("personal", clock.now));
  CHECK_FALSE(links.link("night", clock.now));
  const TempDir empty;
  CHECK_FALSE(StationLinks(empty.path()).link("day", clock.now));
}

}  // namespace auralis::station_links_test
