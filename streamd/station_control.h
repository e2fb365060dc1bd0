// SPDX-License-Identifier: MIT
// Passes what listeners ask for on to synthd, through the control segment, and tells what is in force.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "common/control_segment.h"
#include "streamd/messages.h"

namespace auralis {

// One thread, streamd's network thread. `reader` outlives it.
class StationControl {
 public:
  // Throws SegmentError.
  StationControl(const std::filesystem::path& streamd_directory, const AudioReader& reader,
                 std::int64_t now_ns);

  struct Accepted {
    std::uint64_t request = 0;
    MusicParameters target;
  };

  // Asks for a change on top of what was last asked for. Nothing where synthd is not there to obey.
  std::optional<Accepted> change(const ParameterPatch& patch);
  std::optional<Accepted> choose(const Preset& preset);

  // The station as synthd's segment shows it; nothing where there is none.
  std::optional<StationStatus> status() const;

  void beat(std::int64_t now_ns) { writer_.beat(now_ns); }

 private:
  std::optional<MusicParameters> target() const;
  std::optional<Accepted> request(const MusicParameters& parameters);

  ControlWriter writer_;
  const AudioReader& reader_;
};

}  // namespace auralis
