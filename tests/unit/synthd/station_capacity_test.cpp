// SPDX-License-Identifier: MIT
#include "synthd/station_capacity.h"

#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

namespace auralis::station_capacity_test {

using namespace test;

namespace {

constexpr std::uint32_t kRing = 20;

Config config_in(const TempDir& folder) {
  Config config;
  config.runtime.dir = folder.path();
  config.synthd.engine = EngineChoice::kNative;
  config.stations = {{"a", 1, kPresets[0].parameters, false}, {"b", 2, kPresets[1].parameters, false}};
  return config;
}

}  // namespace

TEST_CASE("the capacity is the smallest bound, but at least the number of configured stations") {
  CHECK(StationBounds{500, 700, 40}.capacity(2) == 40);
  CHECK(StationBounds{30, 700, 40}.capacity(2) == 30);
  CHECK(StationBounds{500, 20, 40}.capacity(2) == 20);
  CHECK(StationBounds{0, 20, 40}.capacity(2) == 2);
  CHECK(StationBounds{1'000'000, 1'000'000, 1'000'000}.capacity(2) == kMostStations);
}

TEST_CASE("the bounds are what the engine renders, 256 MB of rings, and a quarter of the free space") {
  const TempDir folder;
  const StationBounds bounds = station_bounds(config_in(folder), Timeline{}, kRing);
  CHECK(bounds.by_speed > 5);  // on any processor, in any build
  CHECK(bounds.by_memory == 724);
  const auto free = std::filesystem::space(folder.path()).available;
  const std::size_t bytes = RingGeometry{kRing, Timeline{}.chunk_samples()}.bytes();
  CHECK(bounds.by_space ==
        doctest::Approx(static_cast<double>(free) / 4 / static_cast<double>(bytes)).epsilon(0.1));
}

TEST_CASE("the capacity is as configured, else that of a previous synthd whose music can continue") {
  const TempDir folder;
  Config config = config_in(folder);
  config.synthd.max_stations = 7;
  CHECK(station_capacity(config, Timeline{}, kRing) == 7);
  config.synthd.max_stations = 0;
  { AudioWriter(config.daemon_dir(Daemon::kSynthd), Timeline{}, kRing, 3).publish(1); }
  CHECK(station_capacity(config, Timeline{}, kRing) == 3);
  CHECK(station_capacity(config, Timeline{}, kRing + 1) != 3);  // different ring: nothing to continue
  config.stations.resize(4);
  CHECK(station_capacity(config, Timeline{}, kRing) >= 4);
}

}  // namespace auralis::station_capacity_test
