// SPDX-License-Identifier: MIT
#include "streamd/chunk_pump.h"

#include <algorithm>
#include <utility>

#include "common/log.h"

namespace auralis {
namespace {

constexpr std::size_t kStation = 0;

}  // namespace

const WireMessagePtr& OutgoingChunk::message(WireFormat format) {
  WireMessagePtr& message = messages_[static_cast<std::size_t>(format)];
  if (!message) {
    message = format == WireFormat::kJson ? make_text_message(encode_json(chunk_))
                                          : make_binary_message(encode_pcm(chunk_));
  }
  return message;
}

ChunkPump::ChunkPump(const std::filesystem::path& synthd_directory, const Clock& clock,
                     StreamMetrics& metrics, std::int64_t prefill_chunks)
    : reader_(synthd_directory),
      clock_(clock),
      metrics_(metrics),
      keep_(static_cast<std::size_t>(prefill_chunks) + 1) {}

void ChunkPump::refresh() {
  const bool changed = reader_.refresh();
  if (!reader_.ready()) {
    if (changed || !logged_missing_) log_warning("waiting for synthd: " + reader_.describe());
    logged_missing_ = true;
    return;
  }
  if (changed) {
    log_info("attached to synthd", {{"station", reader_.stations().front().name},
                                    {"sample_rate", std::int64_t{reader_.timeline().sample_rate}},
                                    {"chunk_frames", std::int64_t{reader_.timeline().chunk_frames}}});
  }
  // A synthd that took its segment over goes on with the same timeline, and so do the listeners.
  if (!timeline_ || *timeline_ != reader_.timeline()) adopt_timeline();
}

// A timeline counts once audio for its live position is there: a synthd that is still filling its ring is not
// late.
void ChunkPump::adopt_timeline() {
  const std::int64_t live = live_chunk(reader_.timeline());
  if (reader_.newest(kStation).value_or(-1) < live) return;
  timeline_ = reader_.timeline();
  ring_chunks_ = reader_.slots();
  next_ = live;
  buffer_.assign(timeline_->chunk_samples(), 0);
  recent_.clear();
  // What the first listener is to be sent at once.
  for (std::int64_t chunk = std::max<std::int64_t>(0, live - static_cast<std::int64_t>(keep_)); chunk < live;
       ++chunk) {
    const RingRead outcome = take(chunk);
    if (outcome == RingRead::kChunk) {
      recent_.push_back(make_chunk(chunk, outcome));
    } else {
      recent_.clear();
    }
  }
}

// The first chunk whose listeners' phases are all still to come.
std::int64_t ChunkPump::live_chunk(const Timeline& timeline) const {
  return std::max<std::int64_t>(0, timeline.chunk_at(clock_.now_ns()) + 2);
}

// A ring of another timeline has nothing for this one.
RingRead ChunkPump::take(std::int64_t chunk) {
  if (!reader_.ready() || *timeline_ != reader_.timeline()) return RingRead::kWriterGone;
  return reader_.read(kStation, chunk, buffer_.data());
}

OutgoingChunkPtr ChunkPump::next() {
  const RingRead outcome = take(next_);
  const std::int64_t live = live_chunk(*timeline_);
  // Also where nothing was written meanwhile: seconds of silence in one burst are of use to nobody.
  if (outcome == RingRead::kLapped || live - next_ > ring_chunks_) {
    metrics_.ring_overruns.add();
    const std::int64_t missed = std::exchange(next_, live);
    recent_.clear();
    log_warning("came too late for chunks in the ring, skipped to the live position",
                {{"from", missed}, {"to", next_}});
    return nullptr;
  }
  const bool was_flowing = std::exchange(flowing_, outcome == RingRead::kChunk);
  if (!flowing_) {
    metrics_.ring_underruns.add();
    if (was_flowing) {
      log_warning(outcome == RingRead::kWriterGone ? "underrun: synthd is gone, sending silence"
                                                   : "underrun: chunk not rendered in time, sending silence",
                  {{"chunk", next_}});
    }
  } else if (!was_flowing) {
    log_info("audio flows", {{"chunk", next_}});
  }
  OutgoingChunkPtr chunk = make_chunk(next_, outcome);
  recent_.push_back(chunk);
  while (recent_.size() > keep_) recent_.pop_front();
  ++next_;
  const double depth = depth_ms();
  metrics_.ring_depth_ms.set(depth);
  const double ring_ms = static_cast<double>(timeline_->chunk_ns() * ring_chunks_) / kNsPerMs;
  if (ring_ms > 0) metrics_.ring_utilization_percent.set(std::clamp(depth / ring_ms * 100.0, 0.0, 100.0));
  return chunk;
}

OutgoingChunkPtr ChunkPump::make_chunk(std::int64_t chunk, RingRead outcome) {
  if (outcome != RingRead::kChunk) std::fill(buffer_.begin(), buffer_.end(), std::int16_t{0});
  AudioChunk audio;
  audio.seq = chunk;
  audio.due_unix_us = (clock_.unix_ns() + timeline_->due_ns(chunk) - clock_.now_ns()) / 1000;
  audio.sample_rate = timeline_->sample_rate;
  audio.channels = timeline_->channels;
  audio.frames = timeline_->chunk_frames;
  audio.silence = outcome != RingRead::kChunk;
  audio.samples = buffer_;
  return std::make_shared<OutgoingChunk>(std::move(audio));
}

OutgoingChunkPtr ChunkPump::recent(std::int64_t chunk) const {
  if (recent_.empty()) return nullptr;
  const std::int64_t index = chunk - recent_.front()->audio().seq;
  if (index < 0 || index >= static_cast<std::int64_t>(recent_.size())) return nullptr;
  return recent_[static_cast<std::size_t>(index)];
}

double ChunkPump::depth_ms() const {
  const auto newest = reader_.newest(kStation);
  const std::int64_t newest_chunk = newest ? *newest : timeline_->chunk_at(clock_.now_ns()) - 1;
  return static_cast<double>(timeline_->depth_ns(newest_chunk, clock_.now_ns())) / kNsPerMs;
}

}  // namespace auralis
