// SPDX-License-Identifier: MIT
// Permalinks to what a configured station played at a moment, from synthd's station table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/segments/audio_segment.h"

namespace auralis {

// One thread at a time.
class StationLinks {
 public:
  // `directory`: synthd's.
  explicit StationLinks(const std::filesystem::path& directory) : reader_(directory) {}

  // The query of the link to the station's music shortly before `at_ns` (CLOCK_MONOTONIC); an empty name: of
  // the first station. Nothing if it is not a configured one that plays, or there is no segment.
  std::optional<std::string> link(std::string_view station, std::int64_t at_ns);

  struct Moment {
    std::int64_t chunk = 0;  // of the timeline, as in logs and at listeners
    std::string link;        // as of link(), in fewer characters; empty: none
  };
  // What was due at `at_ns`; nothing without a segment.
  std::optional<Moment> moment(std::string_view station, std::int64_t at_ns);

 private:
  std::optional<StationState> configured(std::string_view station) const;
  std::int64_t first_chunk(const StationState& state, std::int64_t at_ns) const;

  AudioReader reader_;
};

}  // namespace auralis
