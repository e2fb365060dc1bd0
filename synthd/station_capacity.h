// SPDX-License-Identifier: MIT
// How many stations synthd can hold: the size of its station table, and of its engine.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/config/config.h"
#include "common/segments/audio_segment.h"

namespace auralis {

// Bounds of the number of stations, each as if it were the only one.
struct StationBounds {
  std::size_t by_speed = 0;   // half of what the engine renders in real time
  std::size_t by_memory = 0;  // 256 MB of rings
  std::size_t by_space = 0;   // a quarter of the free space of the segments' file system

  // The smallest bound, at least `configured`, at most kMostStations.
  std::size_t capacity(std::size_t configured) const;
};

// Measures by rendering for about 50 ms with an engine of its own. Throws EngineError.
StationBounds station_bounds(const Config& config, const Timeline& timeline, std::uint32_t ring_slots);

// synthd.max_stations if it is set; else the capacity of a former synthd, whose music could not continue in a
// table of another size; else by the bounds, which are logged. Throws EngineError.
std::size_t station_capacity(const Config& config, const Timeline& timeline, std::uint32_t ring_slots);

}  // namespace auralis
