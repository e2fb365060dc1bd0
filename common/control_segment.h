// SPDX-License-Identifier: MIT
// The segment `streamd/control`: what listeners asked for, one slot a station, in the order of the station
// table. streamd writes it, synthd polls it: a request is a whole set of parameters and a number that rises,
// so nothing is lost when either side restarts, and the newest request wins.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/audio_segment.h"
#include "common/music_parameters.h"
#include "common/segment.h"

namespace auralis {

inline constexpr std::uint32_t kControlLayoutVersion = 1;
inline constexpr std::size_t kControlSlots = 64;

struct ControlRequest {
  std::uint64_t number = 0;  // rises by one with each request of the slot
  char station[kStationNameBytes] = {};
  MusicParameters parameters;
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

  // Rises with each request of the slot; 0 unless ready. For polling.
  std::uint64_t version(std::size_t slot) const;

  // Checked: nothing where there is no request or its bytes are not valid parameters.
  std::optional<ControlRequest> request(std::size_t slot) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
