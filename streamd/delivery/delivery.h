// SPDX-License-Identifier: MIT
// What the conductor hands to a worker for its listeners: the chunks of a phase, and what a new listener
// begins with.
#pragma once

#include <cstdint>
#include <vector>

#include "streamd/encode/audio_message.h"

namespace auralis {

// The length of a chunk is divided into equal phases; each listener has one, at which it is sent its chunks.
inline constexpr std::uint32_t kPhases = 40;

// What the listeners of a phase are sent, and when that was due (CLOCK_MONOTONIC).
struct Delivery {
  std::uint32_t phase = 0;
  std::int64_t due_ns = 0;
  std::vector<StationAudio> stations;
};

// What a new listener is sent first; live chunks in its phase follow.
struct InitialDelivery {
  StationId station;
  std::uint32_t phase = 0;
  std::vector<WireMessagePtr> messages;  // before the first audio
  std::vector<AudioMessagePtr> past;     // the newest past chunks, oldest first
};

}  // namespace auralis
