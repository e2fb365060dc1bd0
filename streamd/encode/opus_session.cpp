// SPDX-License-Identifier: MIT
#include "streamd/encode/opus_session.h"

#include <algorithm>
#include <cassert>
#include <exception>
#include <utility>

#include "common/base/log.h"

namespace auralis {

OpusSession::OpusSession(EncodingExecutor& executor, const Clock& clock, Settings settings)
    : executor_(executor), clock_(clock), settings_(std::move(settings)) {}

void OpusSession::submit(AudioChunk chunk) {
  assert(checker_.is_current());
  const std::int64_t seq = chunk.seq;
  {
    const MutexLock lock(mutex_);
    assert(waiting_.empty() || waiting_.back().seq < seq);
    waiting_.push_back(std::move(chunk));
    if (std::exchange(scheduled_, true)) return;
  }
  schedule(seq);
}

void OpusSession::schedule(std::int64_t chunk) {
  executor_.run({settings_.personal, chunk}, [session = shared_from_this()] { session->encode_next(); });
}

void OpusSession::skip_before(std::int64_t seq) {
  const MutexLock lock(mutex_);
  while (!waiting_.empty() && waiting_.front().seq < seq) waiting_.pop_front();
}

std::vector<OpusSession::Encoded> OpusSession::take_encoded() {
  assert(checker_.is_current());
  const MutexLock lock(mutex_);
  return std::exchange(encoded_, {});
}

bool OpusSession::pending(std::int64_t seq) const {
  assert(checker_.is_current());
  const MutexLock lock(mutex_);
  const auto is_it = [seq](const auto& one) { return one.seq == seq; };
  return running_ == seq || std::any_of(waiting_.begin(), waiting_.end(), is_it) ||
         std::any_of(encoded_.begin(), encoded_.end(), is_it);
}

// Encodes one chunk a call, so that stations take turns at the executor.
void OpusSession::encode_next() {
  AudioChunk chunk;
  {
    const MutexLock lock(mutex_);
    if (waiting_.empty()) {
      scheduled_ = false;
      return;
    }
    chunk = std::move(waiting_.front());
    waiting_.pop_front();
    assert(!running_);
    running_ = chunk.seq;
  }
  std::optional<Encoded> encoded = encode(chunk);
  std::optional<std::int64_t> next;
  {
    const MutexLock lock(mutex_);
    if (encoded) encoded_.push_back(*std::move(encoded));
    running_.reset();
    if (!waiting_.empty()) next = waiting_.front().seq;
    scheduled_ = next.has_value();
  }
  if (next) schedule(*next);
}

std::optional<OpusSession::Encoded> OpusSession::encode(const AudioChunk& chunk) {
  try {
    const std::int64_t began_ns = clock_.now_ns();
    Encoded encoded;
    encoded.seq = chunk.seq;
    encoded.first = !encoder_;
    if (!encoder_) {
      encoder_.emplace(chunk.sample_rate, settings_.bitrate);
      stream_.emplace(settings_.title, chunk.sample_rate, encoder_->delay_frames(), settings_.serial);
    }
    encoded.opus = encoder_->encode(chunk);
    encoded.pages = stream_->add(encoded.opus);
    if (!headers_ || *headers_ != stream_->headers())
      headers_ = std::make_shared<const std::string>(stream_->headers());
    encoded.headers = headers_;
    encoded.took_ns = clock_.now_ns() - began_ns;
    return encoded;
  } catch (const std::exception& error) {
    log_error("Opus: chunk not encoded", {{"chunk", chunk.seq}, {"reason", std::string(error.what())}});
    return std::nullopt;
  }
}

}  // namespace auralis
