// SPDX-License-Identifier: MIT
// Takes chunks from the ring when their time has come, each once, and hands them out encoded, each encoding
// made once for all listeners. A chunk that is not there becomes silence; a pump that came too late skips to
// the live position.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/audio_segment.h"
#include "common/clock.h"
#include "streamd/frame.h"
#include "streamd/stream_metrics.h"
#include "streamd/transport.h"

namespace auralis {

// One chunk on its way to listeners. One thread.
class OutgoingChunk {
 public:
  explicit OutgoingChunk(AudioChunk chunk) : chunk_(std::move(chunk)) {}

  const AudioChunk& audio() const { return chunk_; }

  // The chunk in that format, encoded at the first call and shared from then on.
  const WireMessagePtr& message(WireFormat format);

 private:
  AudioChunk chunk_;
  std::array<WireMessagePtr, kWireFormats> messages_;
};
using OutgoingChunkPtr = std::shared_ptr<OutgoingChunk>;

// One thread, streamd's network thread. `clock` and `metrics` outlive it.
class ChunkPump {
 public:
  ChunkPump(const std::filesystem::path& synthd_directory, const Clock& clock, StreamMetrics& metrics,
            std::int64_t prefill_chunks);

  // Looks for a new or restarted synthd; several times a second. Logs changes, once each.
  void refresh();

  // True once a timeline with audio is known. It stays known while synthd is away: its chunks are then
  // silence.
  bool has_timeline() const { return timeline_.has_value(); }
  const Timeline& timeline() const { return *timeline_; }

  // True while audio flows: the last chunk taken was music.
  bool flowing() const { return flowing_; }

  // Moment at which next() may be called for the next chunk: one chunk before it is due, since listeners'
  // phases lie within that chunk.
  std::int64_t next_ns() const { return timeline_->due_ns(next_ - 1); }
  std::int64_t next_chunk() const { return next_; }

  // Takes the next chunk of the timeline. Null if the pump came too late for it: it then stands at the live
  // position.
  OutgoingChunkPtr next();

  // A chunk taken lately, for a listener that has just come; null if it is no longer held.
  OutgoingChunkPtr recent(std::int64_t chunk) const;

  const AudioReader& reader() const { return reader_; }
  double depth_ms() const;

 private:
  void adopt_timeline();
  RingRead take(std::int64_t chunk);
  OutgoingChunkPtr make_chunk(std::int64_t chunk, RingRead outcome);
  std::int64_t live_chunk(const Timeline& timeline) const;

  AudioReader reader_;
  const Clock& clock_;
  StreamMetrics& metrics_;
  std::size_t keep_;
  std::optional<Timeline> timeline_;
  std::int64_t ring_chunks_ = 0;
  std::int64_t next_ = 0;
  bool flowing_ = false;
  bool logged_missing_ = false;
  std::vector<std::int16_t> buffer_;
  std::deque<OutgoingChunkPtr> recent_;  // oldest first, without gaps
};

}  // namespace auralis
