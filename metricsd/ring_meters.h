// SPDX-License-Identifier: MIT
// Measures what the configured stations sound like, as synthd publishes it: reads each chunk of their rings
// from synthd's segment, once, whatever streamd does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/metrics/audio_meter.h"
#include "metricsd/own_metrics_memory.h"
#include "metricsd/station_rings.h"

namespace auralis {

// One thread at a time.
class RingMeters {
 public:
  // Sets the metrics of `own`. Both must outlive it.
  RingMeters(StationRings& rings, OwnMetricsMemory& own);

  // Measures the chunks that were published since the last call; call it several times while a ring is
  // overwritten once. What was overwritten before is not measured, and its absence is no discontinuity. The
  // levels of a station are absent once its ring ran dry at `now_ns` (CLOCK_MONOTONIC).
  void measure(std::int64_t now_ns);

 private:
  // Audio of a station that one call measures at most: a ring may be long, and this process has other work.
  static constexpr std::int64_t kMostNs = 3'000'000'000;

  struct Station {
    StationId id;
    std::size_t label = 0;
    std::int64_t next = -1;  // chunk to measure; -1: the live one
    std::optional<AudioMeter> meter{};
  };

  void find_stations();
  void clear_levels();
  void measure(Station& station, std::int64_t now_ns);
  std::int64_t first_to_measure(const Station& station, std::int64_t newest, std::int64_t now_ns) const;
  void measure_chunk(Station& station, std::int64_t chunk);
  AudioMetrics& metrics_of(const Station& station) { return own_.metrics().audio.at(station.label); }

  StationRings& rings_;
  OwnMetricsMemory& own_;
  Timeline timeline_;                        // that `stations_` are of
  std::uint64_t version_ = 0;                // of `rings_`, likewise
  std::map<std::size_t, Station> stations_;  // by row
  std::vector<std::int16_t> chunk_;
};

}  // namespace auralis
