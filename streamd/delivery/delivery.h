// SPDX-License-Identifier: MIT
// What the conductor hands to a worker for its listeners: the chunks of a phase, and what a new listener
// begins with.
#pragma once

#include <cstdint>
#include <vector>

#include "streamd/encode/audio_message.h"

namespace auralis {

// A chunk's length is divided into phases of equal length; each listener has one, at which it is sent its
// chunk.
inline constexpr std::uint32_t kPhases = 40;

// What the listeners of a phase are to be sent, and when that was due.
struct Delivery {
  std::uint32_t phase = 0;
  std::int64_t due_ns = 0;
  std::vector<StationAudio> stations;
};

// What a listener begins with; from then on it is delivered to.
struct InitialDelivery {
  StationId station;
  std::uint32_t phase = 0;
  std::vector<WireMessagePtr> messages;  // before the first audio
  std::vector<AudioMessagePtr> past;     // the newest past chunks, oldest first
};

}  // namespace auralis
