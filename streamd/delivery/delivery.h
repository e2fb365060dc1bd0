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

// The first messages to a new listener; live chunks in its phase follow.
struct InitialDelivery {
  StationId station;
  std::uint32_t phase = 0;
  std::vector<WireMessagePtr> messages;  // before the first audio
  std::vector<AudioMessagePtr> past;     // the newest past chunks, oldest first
};

}  // namespace auralis
