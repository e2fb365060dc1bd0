// SPDX-License-Identifier: MIT
// Deliveries that the conductor hands to a worker for its listeners: the chunks of a phase, and the beginning
// of a new listener.
#pragma once

#include <cstdint>
#include <vector>

#include "streamd/encode/audio_message.h"

namespace auralis {

// The length of a chunk is divided into equal phases; each listener has one, at which it is sent its chunks.
inline constexpr std::uint32_t kPhases = 40;

// Chunks for the listeners of a phase, and when they were due (CLOCK_MONOTONIC).
struct Delivery {
  std::uint32_t phase = 0;
  std::int64_t due_ns = 0;
  std::vector<StationAudio> stations;
};

// The chunks that a new listener begins with, oldest first: past ones, and with a lead those that it would
// have had by now.
struct Prefill {
  std::vector<AudioMessagePtr> chunks;
  std::int64_t due_ns =
      0;  // when the last of them was due to the listener, CLOCK_MONOTONIC; 0: there is none
};

// The first messages to a new listener; live chunks in its phase follow.
struct InitialDelivery {
  StationId station;
  std::uint32_t phase = 0;
  std::vector<WireMessagePtr> messages;  // before the first audio
  Prefill prefill{};
  std::int64_t lead = 0;  // chunks
};

}  // namespace auralis
