// SPDX-License-Identifier: MIT
// How much audio the stations' rings hold ahead of now, read from synthd's segment: whatever streamd does,
// and whether or not it runs.
#pragma once

#include <cstdint>
#include <optional>

#include "metricsd/own_metrics_memory.h"
#include "metricsd/station_rings.h"

namespace auralis {

// One thread at a time.
class RingDepths {
 public:
  // Sets the gauges of `own`. Both must outlive it.
  RingDepths(StationRings& rings, OwnMetricsMemory& own);

  // Sets the depths as of `now_ns` (CLOCK_MONOTONIC): of each configured station, and the least one of all
  // personal stations. Absent for stations that have no chunk yet, and without a segment.
  void update(std::int64_t now_ns);

 private:
  std::optional<double> depth_ms(const StationRing& station, std::int64_t now_ns) const;
  void show(OwnMetrics::RingMetrics& ring, std::optional<double> depth_ms) const;

  StationRings& rings_;
  OwnMetricsMemory& own_;
};

}  // namespace auralis
