// SPDX-License-Identifier: MIT
// The segment `streamd/control`: what listeners requested, one row for each row of the station table. streamd
// writes it, synthd polls it. A request is complete, identifies its station, and has a rising number: so
// nothing is lost if either side restarts, and the newest request of a row wins.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/segments/audio_segment.h"
#include "common/segments/segment.h"

namespace auralis {

inline constexpr std::uint32_t kControlLayoutVersion = 2;

enum class ControlAction : std::uint32_t {
  kChange = 1,  // put the parameters of history.changes[0] in force
  kOpen = 2,    // open a personal station in the row, which is free
  kClose = 3,   // close the personal station
};

struct ControlRequest {
  std::uint64_t number = 0;      // rises with each request of the row; 0: none yet
  std::uint64_t generation = 0;  // of the addressed station; for kOpen, its future one
  ControlAction action = ControlAction::kChange;
  std::uint32_t reserved = 0;
  // For kOpen:
  char station[kStationNameBytes] = {};
  std::uint64_t seed = 0;
  std::int64_t chunk = 0;  // the station's own chunk that it begins with
  ShortHistory history;    // also of kChange, with one change then
};

// The only writer: streamd. One thread at a time.
class ControlWriter {
 public:
  // Throws SegmentError.
  ControlWriter(const std::filesystem::path& directory, std::int64_t now_ns);
  ~ControlWriter();

  // The newest request of a row, initially a former writer's. `index` below kMostStations; throws
  // std::out_of_range.
  std::optional<ControlRequest> request(std::size_t index) const;

  // Publishes a request. Its number exceeds that of the row's last one. Throws std::out_of_range.
  void store(std::size_t index, const ControlRequest& request);

  // Heartbeat, about ten times a second. Restores the segment if its file was removed, replaced or truncated,
  // and, within a second, what another process overwrote: no request is lost. Throws SegmentError.
  void beat(std::int64_t now_ns);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A read-only view. One thread at a time.
class ControlReader {
 public:
  explicit ControlReader(const std::filesystem::path& directory);
  ~ControlReader();

  // As SegmentReader::refresh, and validates the size.
  bool refresh();
  bool ready() const;
  std::string describe() const;

  // Rises with each request of any row; 0 unless ready. For polling.
  std::uint64_t version() const;

  // Rises with each request of the row; 0 unless ready. Throws std::out_of_range.
  std::uint64_t version(std::size_t index) const;

  // Validated: nothing if there is no request or its bytes are not a valid one. Throws std::out_of_range.
  std::optional<ControlRequest> request(std::size_t index) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
