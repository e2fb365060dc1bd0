// SPDX-License-Identifier: MIT
// Gives each chunk to the listeners at its due moment, less each listener's phase: chunk k goes out over the
// chunk's length before it is due, a share of the listeners at each tick, so that the load of many is flat
// and nobody's interval changes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/clock.h"
#include "streamd/chunk_pump.h"
#include "streamd/hub.h"

namespace auralis {

// One thread, streamd's network thread. All references outlive it.
class PacedDelivery {
 public:
  PacedDelivery(ChunkPump& pump, Hub& hub, const Clock& clock);

  // Does all that is due by now. Returns the moment (CLOCK_MONOTONIC) of the next thing to do.
  std::int64_t step();

  // The station's newest past chunks, `count` at most, oldest first, for a listener of phase `phase` that has
  // just come: the next one that step() delivers to that phase follows them without a gap.
  std::vector<OutgoingChunkPtr> prefill(const StationPlace& station, std::uint32_t phase,
                                        std::int64_t count) const;

 private:
  static constexpr std::int64_t kIdleNs = 50'000'000;  // how often to look for a timeline while there is none

  ChunkPump& pump_;
  Hub& hub_;
  const Clock& clock_;
  std::optional<std::int64_t> turn_;  // the chunk being delivered, phase by phase
  std::uint32_t next_phase_ = 0;
};

}  // namespace auralis
