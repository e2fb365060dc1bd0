// SPDX-License-Identifier: MIT
// The segment `streamd/control`: what listeners asked for, one slot for each place of the station table.
// streamd writes it, synthd polls it: a request is whole, names its station, and has a number that rises, so
// nothing is lost when either side restarts, and the newest request of a place wins.
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
  kChange = 1,  // the parameters of history.changes[0] be in force
  kOpen = 2,    // a personal station come to the place, which is free
  kClose = 3,   // the personal station go
};

struct ControlRequest {
  std::uint64_t number = 0;      // rises by one with each request of the slot
  std::uint64_t generation = 0;  // of the station that is meant, kOpen: that it will have; nobody else obeys
  ControlAction action = ControlAction::kChange;
  std::uint32_t reserved = 0;
  // Of kOpen:
  char station[kStationNameBytes] = {};
  std::uint64_t seed = 0;
  std::int64_t chunk = 0;  // its own one that it begins with
  ShortHistory history;    // also of kChange, one change then
};

// The one writer: streamd. One thread.
class ControlWriter {
 public:
  // Throws SegmentError.
  ControlWriter(const std::filesystem::path& directory, std::int64_t now_ns);
  ~ControlWriter();

  // The newest request of a slot, a former writer's at first.
  std::optional<ControlRequest> request(std::size_t slot) const;
  void store(std::size_t slot, const ControlRequest& request);

  // "I am at work", some ten times a second. Puts the segment back if its file was removed, replaced or cut
  // short, and, within a second, what another process wrote over: no request is lost. Throws SegmentError.
  void beat(std::int64_t now_ns);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A read-only view. One thread.
class ControlReader {
 public:
  explicit ControlReader(const std::filesystem::path& directory);
  ~ControlReader();

  bool refresh();
  bool ready() const;
  std::string describe() const;

  // Rises with each request of any slot; 0 unless ready. For polling.
  std::uint64_t version() const;

  // Rises with each request of the slot; 0 unless ready.
  std::uint64_t version(std::size_t slot) const;

  // Checked: nothing where there is no request or its bytes are not a valid one.
  std::optional<ControlRequest> request(std::size_t slot) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
