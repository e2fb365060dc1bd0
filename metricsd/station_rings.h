// SPDX-License-Identifier: MIT
// The stations' rings in synthd's segment, and the labels that the configured ones have in metricsd's
// metrics. Shared by what measures the rings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "common/metrics/station_labels.h"
#include "common/segments/audio_segment.h"
#include "metricsd/own_metrics_memory.h"

namespace auralis {

struct StationRing {
  StationId id;
  bool personal = false;
  std::optional<std::size_t>
      label{};  // none: personal, or more stations are configured than there are labels
};

// One thread at a time.
class StationRings {
 public:
  // Gives labels of `own`, which must outlive it. `directory`: synthd's.
  StationRings(const std::filesystem::path& directory, OwnMetricsMemory& own);

  // Looks at the segment and its table again. Stations keep their labels while there is no segment.
  void refresh();

  // As of the last refresh(): the segment, the stations in the order of their rows, and a number that rises
  // when either is another.
  const AudioReader& reader() const { return reader_; }
  const std::vector<StationRing>& stations() const { return stations_; }
  std::uint64_t version() const { return version_; }

 private:
  void read_table();

  AudioReader reader_;
  StationLabels labels_;
  std::vector<StationRing> stations_;
  std::uint64_t version_ = 0;
  std::optional<std::uint64_t> table_version_;  // that `stations_` are of; nothing: the table is to be read
};

}  // namespace auralis
