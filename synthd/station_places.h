// SPDX-License-Identifier: MIT
// How many stations synthd has places for.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/config/config.h"
#include "common/segments/audio_segment.h"

namespace auralis {

// What bounds the number of stations, each as if there were no other bound.
struct StationBounds {
  std::size_t by_speed = 0;   // half of what the engine renders in real time
  std::size_t by_memory = 0;  // 256 MB of rings
  std::size_t by_space = 0;   // a quarter of what is free where the segments lie

  // The smallest, but room for those that are configured: at most kMostStations.
  std::size_t places(std::size_t configured) const;
};

// Measures: renders for some 50 ms, with an engine of its own. Throws EngineError.
StationBounds station_bounds(const Config& config, const Timeline& timeline, std::uint32_t ring_slots);

// synthd.max_stations where it is set; else what a former synthd had, whose music could not go on in a table
// of another size; else by the bounds, which are logged. Throws EngineError.
std::size_t station_places(const Config& config, const Timeline& timeline, std::uint32_t ring_slots);

}  // namespace auralis
