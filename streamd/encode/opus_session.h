// SPDX-License-Identifier: MIT
// One station's chunks on their way through its Opus encoder: they go in on the conductor's thread, are
// encoded elsewhere, in order and one at a time, and come out on the conductor's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "streamd/encode/encoding_pool.h"
#include "streamd/encode/frame.h"
#include "streamd/encode/ogg_opus.h"
#include "streamd/encode/opus_stream.h"

namespace auralis {

// One thread, the conductor's, calls the public functions but encode_next(). `executor` outlives the work
// that it was given. Work in progress keeps its session alive.
class OpusSession : public std::enable_shared_from_this<OpusSession> {
 public:
  struct Settings {
    std::string title;  // what players show
    std::int32_t bitrate = kDefaultOpusBitrate;
    std::uint32_t serial = 0;  // of its first logical Ogg stream
    bool personal = false;     // less urgent than a configured station
  };
  OpusSession(EncodingExecutor& executor, Settings settings);

  struct Encoded {
    std::int64_t seq = 0;
    bool first = false;  // that the session encoded
    OpusChunk opus;
    OggOpus::Pages pages;
    std::shared_ptr<const std::string> headers;  // of the logical Ogg stream that the page belongs to
  };

  // Queues a chunk; of chunks that were queued, its number is the highest.
  void submit(AudioChunk chunk);

  // Chunks before `seq` whose encoding has not begun are not wanted any more; the encoder then begins anew
  // with the next one.
  void skip_before(std::int64_t seq);

  // What has been encoded since the last call, in order. A chunk that could not be encoded is missing.
  std::vector<Encoded> take_encoded();

  // Whether chunk `seq`, which was submitted, is still to come out of take_encoded().
  bool pending(std::int64_t seq) const;

  // The executor's thread.
  void encode_next();

 private:
  void schedule(std::int64_t chunk);
  std::optional<Encoded> encode(const AudioChunk& chunk);

  EncodingExecutor& executor_;
  const Settings settings_;

  mutable Mutex mutex_;
  std::deque<AudioChunk> waiting_ AURALIS_GUARDED_BY(mutex_);
  std::optional<std::int64_t> running_ AURALIS_GUARDED_BY(mutex_);  // the chunk that is being encoded
  bool scheduled_ AURALIS_GUARDED_BY(mutex_) = false;               // encode_next() runs, or will
  std::vector<Encoded> encoded_ AURALIS_GUARDED_BY(mutex_);

  // Of the one thread that runs encode_next(); handed from one to the next under the mutex.
  std::optional<OpusStream> encoder_;
  std::optional<OggOpus> stream_;
  std::shared_ptr<const std::string> headers_;
};

}  // namespace auralis
