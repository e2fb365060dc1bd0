// SPDX-License-Identifier: MIT
// Turns a station's chunks into what goes over the wire, each once in each format that is in use, for all who
// listen.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/timeline.h"
#include "streamd/frame.h"
#include "streamd/hub.h"
#include "streamd/ogg_opus.h"
#include "streamd/opus_stream.h"

namespace auralis {

// A chunk, and what was made of it so far.
struct EncodedChunk {
  AudioChunk audio;
  std::array<AudioMessagePtr, kWireFormats> messages;
  std::optional<OpusChunk> opus;
  OggOpus::Pages pages;  // of it
};

// One thread, the conductor's.
class StationEncoder {
 public:
  // `title` is what players show. `opus_bitrate` in bits a second.
  StationEncoder(std::string title, std::int64_t opus_bitrate);

  // The chunk in that format, encoded at the first call and shared from then on. Null where it cannot be had:
  // Opus goes forward only, and a chunk may complete no packet.
  AudioMessagePtr message(EncodedChunk& chunk, WireFormat format);

  // The same, for one who begins with it or a chunk before it, and is sent stream_head() ahead of both. Null
  // also where it holds, for those who listen already, the joint between two streams.
  AudioMessagePtr first_message(EncodedChunk& chunk, WireFormat format);

  // What a listener over plain HTTP needs before its first audio, for which first_message() was called; null
  // for other formats.
  WireMessagePtr stream_head(WireFormat format, const Timeline& timeline) const;

  // The chunks that follow are of another timeline, and numbered anew.
  void begin_anew() { opus_.reset(); }

  // Chunk `seq` was the last to be wanted or not: an encoder that nobody has wanted for a second is let go.
  void let_rest(std::int64_t seq);

 private:
  // The encoder of packets, and what makes a stream of them: at work while somebody listens in Opus.
  struct Opus {
    Opus(const std::string& title, std::uint32_t sample_rate, std::int64_t bitrate, std::uint32_t serial);

    OpusStream encoder;
    OggOpus stream;
    std::int64_t newest = -1;  // chunk
  };

  AudioMessagePtr message(EncodedChunk& chunk, WireFormat format, bool head_follows);
  WireMessagePtr encode(EncodedChunk& chunk, WireFormat format, bool head_follows);
  bool encode_opus_of(EncodedChunk& chunk, bool head_follows);

  std::string title_;
  std::int64_t opus_bitrate_;
  std::unique_ptr<Opus> opus_;
};

}  // namespace auralis
