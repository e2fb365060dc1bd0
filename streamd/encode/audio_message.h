// SPDX-License-Identifier: MIT
// A station's chunk, encoded: what the encoders make and all workers share.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "common/segments/audio_segment.h"
#include "streamd/encode/wire_format.h"
#include "streamd/encode/wire_message.h"

namespace auralis {

// A chunk of a station in one format: encoded once, shared by all workers.
struct AudioMessage {
  WireMessagePtr message;
  std::int64_t seq = 0;
  std::int64_t duration_ns = 0;
  bool silence = false;
};
using AudioMessagePtr = std::shared_ptr<const AudioMessage>;

// A station's chunk in the formats that are in use.
struct StationAudio {
  StationId station;
  std::array<AudioMessagePtr, kWireFormats> formats;  // null: not in use, or nothing to send
  std::int64_t lost_seq = -1;  // the chunk that is lost in the formats `lost`: it was not encoded in time
  FormatSet lost{};
  std::int64_t lead = 0;  // chunks: for listeners that have asked for this lead
};

}  // namespace auralis
