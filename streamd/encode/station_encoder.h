// SPDX-License-Identifier: MIT
// Encodes a station's chunks, each once in each format that is in use, for all listeners. Opus is encoded on
// other threads (opus_session.h): chunks are submitted ahead of time, and collected.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/thread_checker.h"
#include "common/metrics/stage_metrics.h"
#include "common/music/timeline.h"
#include "streamd/encode/audio_message.h"
#include "streamd/encode/frame.h"
#include "streamd/encode/ogg_opus.h"
#include "streamd/encode/opus_session.h"
#include "streamd/encode/pcm_message.h"

namespace auralis {

// A chunk, and what was encoded of it so far.
struct EncodedChunk {
  AudioChunk audio;  // its samples are those of `pcm`
  PcmMessage pcm;
  std::array<AudioMessagePtr, kWireFormats> messages;
  std::optional<OpusChunk> opus;
  OggOpus::Pages pages;                        // of `opus`
  std::shared_ptr<const std::string> headers;  // of the logical Ogg stream of the pages
  bool late = false;                           // its turn came before it was encoded
};

// One thread, the conductor's; any thread may destroy it. `executor`, `clock` and `encode_ms` outlive it.
class StationEncoder {
 public:
  struct Settings {
    std::string title;              // shown by players
    std::int64_t opus_bitrate = 0;  // bits a second
    bool personal = false;
  };
  // `encode_ms` observes how long the encoding of each chunk takes, in each format.
  StationEncoder(EncodingExecutor& executor, const Clock& clock, Histogram& encode_ms, Settings settings);
  StationEncoder(StationEncoder&&) = default;
  StationEncoder& operator=(StationEncoder&&) = default;
  ~StationEncoder();

  // The chunk in that format, made at the first call and shared from then on. Null if it is not encoded in
  // Opus (yet), or completes no packet.
  AudioMessagePtr message(EncodedChunk& chunk, WireFormat format);

  // The same, for a new listener, which is sent stream_head() before. Null also if the message has the joint
  // between two streams, which is for present listeners.
  AudioMessagePtr first_message(EncodedChunk& chunk, WireFormat format);

  // Has the chunk encoded in Opus, unless it or a later one was submitted before: Opus only goes forward.
  // `head_follows`: if this begins a stream, all its listeners are sent stream_head().
  void submit(const EncodedChunk& chunk, bool head_follows);

  // The highest chunk that was submitted; -1 if none was.
  std::int64_t submitted() const;

  // Attaches what was encoded since the last call to its chunks. `find` returns the chunk of a number, or
  // null.
  void collect(const std::function<EncodedChunk*(std::int64_t)>& find);

  // True if the chunk was submitted and is still to be collected.
  bool encoding(const EncodedChunk& chunk) const;

  // Returns the bytes that a new listener over plain HTTP is sent before its first audio, if that follows
  // `newest`, the newest past chunk (null: none is held); null for other formats.
  WireMessagePtr stream_head(WireFormat format, const Timeline& timeline, const EncodedChunk* newest) const;

  // Ends the Opus stream: the chunks that follow are of another timeline.
  void reset();

  // Drops chunks before `seq` that wait for their encoding.
  void skip_before(std::int64_t seq);

  // Frees the encoder if nothing was submitted for at least a second, up to chunk `seq`.
  void release_if_idle(std::int64_t seq);

 private:
  // Exists while a listener needs Opus.
  struct Opus {
    std::shared_ptr<OpusSession> session;
    std::int64_t submitted = -1;  // the newest chunk
    bool head_follows = false;
    std::string joint;  // of a chunk that is no longer held, for the next one
  };

  AudioMessagePtr make_message(EncodedChunk& chunk, WireFormat format);
  WireMessagePtr encode(EncodedChunk& chunk, WireFormat format);
  void end_session();

  ThreadChecker checker_;
  EncodingExecutor* executor_;
  const Clock* clock_;
  Histogram* encode_ms_;
  Settings settings_;
  std::optional<Opus> opus_;
};

}  // namespace auralis
