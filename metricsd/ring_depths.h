// SPDX-License-Identifier: MIT
// How much audio the stations' rings hold ahead of now, read from synthd's segment: whatever streamd does,
// and whether or not it runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/metrics/station_labels.h"
#include "common/segments/audio_segment.h"
#include "metricsd/own_metrics_memory.h"

namespace auralis {

// One thread at a time.
class RingDepths {
 public:
  // Sets the gauges of `own`, which must outlive it, and its labels of stations, which stay while there is no
  // segment. `directory`: synthd's.
  RingDepths(const std::filesystem::path& directory, OwnMetricsMemory& own);

  // Sets the depths as of `now_ns` (CLOCK_MONOTONIC): of each configured station, and the least one of all
  // personal stations. Absent for stations that have no chunk yet, and without a segment.
  void update(std::int64_t now_ns);

 private:
  struct ConfiguredDepth {
    std::string name;
    std::optional<double> depth_ms;
  };

  double ring_ms() const;
  void show_configured(const std::vector<ConfiguredDepth>& stations);

  AudioReader reader_;
  OwnMetricsMemory& own_;
  StationLabels labels_;
};

}  // namespace auralis
