// SPDX-License-Identifier: MIT
// Takes one station's chunks through its Opus encoder: they are submitted on the conductor's thread, encoded
// on the executor's, in order and one at a time, and collected on the conductor's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/thread_checker.h"
#include "streamd/encode/encoding_pool.h"
#include "streamd/encode/frame.h"
#include "streamd/encode/ogg_opus.h"
#include "streamd/encode/opus_stream.h"

namespace auralis {

// One thread, the conductor's, calls submit(), take_encoded() and pending(). `executor` and `clock` outlive
// the work that `executor` was given. Work keeps its session alive.
class OpusSession : public std::enable_shared_from_this<OpusSession> {
 public:
  struct Settings {
    std::string title;  // what players show
    std::int32_t bitrate = kDefaultOpusBitrate;
    std::uint32_t serial = 0;  // of its first logical Ogg stream
    bool personal = false;     // less urgent than a configured station
  };
  OpusSession(EncodingExecutor& executor, const Clock& clock, Settings settings);

  struct Encoded {
    std::int64_t seq = 0;
    bool first = false;  // the first chunk that the session encoded
    OpusChunk opus;
    OggOpus::Pages pages;
    std::shared_ptr<const std::string> headers;  // of the logical Ogg stream of the page
    std::int64_t took_ns = 0;                    // to encode it
  };

  // Queues a chunk, whose number is above that of all chunks before.
  void submit(AudioChunk chunk);

  // Drops chunks before `seq` whose encoding has not begun. The gap resets the encoder. Any thread.
  void skip_before(std::int64_t seq);

  // Returns what was encoded since the last call, in order. A chunk that could not be encoded is missing.
  std::vector<Encoded> take_encoded();

  // True if chunk `seq` is still to come out of take_encoded().
  bool pending(std::int64_t seq) const;

  // Encodes one chunk. The executor's thread.
  void encode_next();

 private:
  void schedule(std::int64_t chunk);
  std::optional<Encoded> encode(const AudioChunk& chunk);

  ThreadChecker checker_;
  EncodingExecutor& executor_;
  const Clock& clock_;
  const Settings settings_;

  mutable Mutex mutex_;
  std::deque<AudioChunk> waiting_ AURALIS_GUARDED_BY(mutex_);
  std::optional<std::int64_t> running_ AURALIS_GUARDED_BY(mutex_);  // the chunk that is being encoded
  bool scheduled_ AURALIS_GUARDED_BY(mutex_) = false;  // encode_next() runs or is queued at the executor
  std::vector<Encoded> encoded_ AURALIS_GUARDED_BY(mutex_);

  // Used by the thread that runs encode_next(), one at a time; the mutex hands them from one to the next.
  std::optional<OpusStream> encoder_;
  std::optional<OggOpus> stream_;
  std::shared_ptr<const std::string> headers_;
};

}  // namespace auralis
