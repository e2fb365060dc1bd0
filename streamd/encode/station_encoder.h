// SPDX-License-Identifier: MIT
// Turns a station's chunks into what goes over the wire, each once in each format that is in use, for all
// listeners. Opus is encoded elsewhere (opus_session.h): chunks are submitted ahead of time, and collected.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/music/timeline.h"
#include "streamd/encode/audio_message.h"
#include "streamd/encode/frame.h"
#include "streamd/encode/ogg_opus.h"
#include "streamd/encode/opus_session.h"
#include "streamd/encode/pcm_message.h"

namespace auralis {

// A chunk, and what was made of it so far.
struct EncodedChunk {
  AudioChunk audio;  // its samples are those of `pcm`
  PcmMessage pcm;
  std::array<AudioMessagePtr, kWireFormats> messages;
  std::optional<OpusChunk> opus;
  OggOpus::Pages pages;                        // of it
  std::shared_ptr<const std::string> headers;  // of the logical Ogg stream that they belong to
  bool late = false;                           // its turn came before it was encoded
};

// One thread, the conductor's. `executor` outlives it.
class StationEncoder {
 public:
  struct Settings {
    std::string title;              // what players show
    std::int64_t opus_bitrate = 0;  // bits a second
    bool personal = false;
  };
  StationEncoder(EncodingExecutor& executor, Settings settings);
  StationEncoder(StationEncoder&&) = default;
  StationEncoder& operator=(StationEncoder&&) = default;
  ~StationEncoder();

  // The chunk in that format, made at the first call and shared from then on. Null where it cannot be had:
  // it is not encoded in Opus (yet), or completes no packet.
  AudioMessagePtr message(EncodedChunk& chunk, WireFormat format);

  // The same, for a listener that begins with it or a chunk before it, and is sent stream_head() ahead of
  // both. Null also where it holds, for those who listen already, the joint between two streams.
  AudioMessagePtr first_message(EncodedChunk& chunk, WireFormat format);

  // Has the chunk encoded in Opus, unless it or a later one was submitted before: Opus goes forward only.
  // `head_follows`: if a stream begins with it, all its listeners are sent stream_head().
  void submit(const EncodedChunk& chunk, bool head_follows);

  // The highest chunk that was submitted; -1 if none was.
  std::int64_t submitted() const { return opus_ ? opus_->submitted : -1; }

  // Attaches what has been encoded since the last call. `find` gives the chunk of a number, or null.
  void collect(const std::function<EncodedChunk*(std::int64_t)>& find);

  // Whether the chunk was submitted and is not collected yet.
  bool encoding(const EncodedChunk& chunk) const;

  // What a listener over plain HTTP needs before its first audio, if it begins after `newest`, the newest
  // past chunk (null: none is held); null for other formats.
  WireMessagePtr stream_head(WireFormat format, const Timeline& timeline, const EncodedChunk* newest) const;

  // The chunks that follow are of another timeline, and numbered anew.
  void reset() { end_session(); }

  // Chunks before `seq` are not needed any more.
  void skip_before(std::int64_t seq);

  // Chunk `seq` was the last to be wanted or not: an encoder that has not been wanted for a second is freed.
  void release_if_idle(std::int64_t seq);

 private:
  // At work while somebody listens in Opus.
  struct Opus {
    std::shared_ptr<OpusSession> session;
    std::int64_t submitted = -1;  // the newest
    bool head_follows = false;
    std::string joint;  // of a chunk that was not found, for the next one
  };

  AudioMessagePtr make_message(EncodedChunk& chunk, WireFormat format);
  WireMessagePtr encode(EncodedChunk& chunk, WireFormat format);
  void end_session();

  EncodingExecutor* executor_;
  Settings settings_;
  std::optional<Opus> opus_;
};

}  // namespace auralis
