// SPDX-License-Identifier: MIT
#include "synthd/station_places.h"

#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

using namespace auralis;
using namespace auralis::test;

namespace {

constexpr std::uint32_t kRing = 20;

Config config_in(const TempDir& folder) {
  Config config;
  config.runtime.dir = folder.path();
  config.synthd.engine = "native";
  config.stations = {{"a", 1, kPresets[0].parameters, false}, {"b", 2, kPresets[1].parameters, false}};
  return config;
}

}  // namespace

TEST_CASE("the smallest bound counts, but those that are configured have room") {
  CHECK(StationBounds{500, 700, 40}.places(2) == 40);
  CHECK(StationBounds{30, 700, 40}.places(2) == 30);
  CHECK(StationBounds{500, 20, 40}.places(2) == 20);
  CHECK(StationBounds{0, 20, 40}.places(2) == 2);
  CHECK(StationBounds{1'000'000, 1'000'000, 1'000'000}.places(2) == kMostStations);
}

TEST_CASE("the bounds are what the engine renders, 256 MB of rings, and a quarter of the free space") {
  const TempDir folder;
  const StationBounds bounds = station_bounds(config_in(folder), Timeline{}, kRing);
  CHECK(bounds.by_speed > 5);  // of any processor, in any build
  CHECK(bounds.by_memory == 724);
  const auto free = std::filesystem::space(folder.path()).available;
  const std::size_t bytes = RingGeometry{kRing, Timeline{}.chunk_samples()}.bytes();
  CHECK(bounds.by_space ==
        doctest::Approx(static_cast<double>(free) / 4 / static_cast<double>(bytes)).epsilon(0.1));
}

TEST_CASE("places are as many as configured, else as a former synthd had, if its music can go on") {
  const TempDir folder;
  Config config = config_in(folder);
  config.synthd.max_stations = 7;
  CHECK(station_places(config, Timeline{}, kRing) == 7);
  config.synthd.max_stations = 0;
  { AudioWriter(config.daemon_dir(Daemon::kSynthd), Timeline{}, kRing, 3).publish(1); }
  CHECK(station_places(config, Timeline{}, kRing) == 3);
  CHECK(station_places(config, Timeline{}, kRing + 1) != 3);  // another ring: nothing to go on with
  config.stations.resize(4);
  CHECK(station_places(config, Timeline{}, kRing) >= 4);
}
