// SPDX-License-Identifier: MIT
// Turns a station's chunks into what goes over the wire, each once in each format that is in use, for all who
// listen.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "common/timeline.h"
#include "streamd/frame.h"
#include "streamd/hub.h"

namespace auralis {

// A chunk, and what was made of it so far.
struct EncodedChunk {
  AudioChunk audio;
  std::array<AudioMessagePtr, kWireFormats> messages;
};

// One thread, the conductor's.
class StationEncoder {
 public:
  // `title` is what players show. `opus_bitrate` in bits a second.
  StationEncoder(std::string title, std::int64_t opus_bitrate);

  // The chunk in that format, encoded at the first call and shared from then on. Null where it cannot be had:
  // Opus goes forward only.
  AudioMessagePtr message(EncodedChunk& chunk, WireFormat format);

  // What a listener over plain HTTP needs before its first audio; null for other formats.
  WireMessagePtr stream_head(WireFormat format, const Timeline& timeline) const;

 private:
  WireMessagePtr encode(EncodedChunk& chunk, WireFormat format);

  std::string title_;
  std::int64_t opus_bitrate_;
};

}  // namespace auralis
