// SPDX-License-Identifier: MIT
#include "streamd/delivery/chunk_pump.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "common/base/log.h"

namespace auralis {

ChunkPump::ChunkPump(const std::filesystem::path& synthd_directory, const Clock& clock,
                     StreamMetrics& metrics, EncodingExecutor& encoding, SentMeter& meter,
                     std::int64_t prefill_chunks, std::int64_t opus_bitrate)
    : reader_(synthd_directory),
      clock_(clock),
      unix_ahead_ns_(clock.unix_ns() - clock.now_ns()),
      metrics_(metrics),
      encoding_(encoding),
      meter_(meter),
      prefill_chunks_(prefill_chunks),
      opus_bitrate_(opus_bitrate),
      silence_{{}, {}, false, nullptr, false, false, {}, {}, {}, {}, make_encoder({}, false)} {}

StationEncoder ChunkPump::make_encoder(const std::string& title, bool personal) const {
  return {encoding_, clock_, metrics_.encode_ms, {title, opus_bitrate_, personal}};
}

bool ChunkPump::refresh() {
  assert(thread_.is_current());
  const bool changed = reader_.refresh();
  if (!reader_.ready()) {
    if (changed || !logged_missing_) log_warning("waiting for synthd: " + reader_.describe());
    logged_missing_ = true;
    return changed;
  }
  if (changed) {
    log_info("attached to synthd", {{"rows", static_cast<std::int64_t>(reader_.capacity())},
                                    {"sample_rate", std::int64_t{reader_.timeline().sample_rate}},
                                    {"chunk_frames", std::int64_t{reader_.timeline().chunk_frames}}});
  }
  // A synthd that took its segment over goes on with the same timeline, and so do the listeners.
  if (!timeline_ || *timeline_ != reader_.timeline()) apply_timeline();
  begin_playing();
  return changed;
}

void ChunkPump::add(const StationId& station, const std::string& name, bool always,
                    StreamMetrics::StationMetrics& metrics) {
  assert(thread_.is_current());
  if (const auto former = channels_.find(station.index); former != channels_.end())
    remove(StationId(former->second.station));
  channels_.emplace(
      station.index,
      Channel{station, name, always, &metrics, false, false, {}, {}, {}, {}, make_encoder(name, !always)});
}

void ChunkPump::remove(const StationId& station) {
  assert(thread_.is_current());
  Channel* const found = channel(station);
  if (found == nullptr) return;
  add_hole(*found, found->holes.end());
  add_hole(*found, found->encoding_holes.end());
  channels_.erase(station.index);
}

ChunkPump::Channel* ChunkPump::channel(const StationId& station) {
  const auto found = channels_.find(station.index);
  return found != channels_.end() && found->second.station == station ? &found->second : nullptr;
}

ChunkPump::Channel& ChunkPump::channel_or_silence(const StationId& station) {
  Channel* const found = channel(station);
  return found != nullptr ? *found : silence_;
}

bool ChunkPump::flowing() const {
  return std::any_of(channels_.begin(), channels_.end(),
                     [](const auto& entry) { return entry.second.flowing; });
}

bool ChunkPump::plays(const StationId& station) {
  const Channel* const found = channel(station);
  return found != nullptr && found->plays;
}

// A timeline counts once its live position has audio: a synthd that is still filling its rings is not late.
void ChunkPump::apply_timeline() {
  const std::int64_t live = live_chunk(reader_.timeline());
  const bool filled = std::any_of(channels_.begin(), channels_.end(), [&](const auto& entry) {
    return reader_.newest(entry.second.station).value_or(-1) >= live;
  });
  if (!filled) return;
  timeline_ = reader_.timeline();
  ring_chunks_ = reader_.slots();
  next_ = live;
  turn_.reset();
  read_.reset();
  const auto chunks = [this](std::int64_t ns) {
    return std::max<std::int64_t>(1, ns / timeline_->chunk_ns());
  };
  ahead_chunks_ = chunks(kAheadNs);
  keep_ = static_cast<std::size_t>(std::max(prefill_chunks_, chunks(kLateNs))) + 1;
  for (auto& entry : channels_) reset(entry.second);
  reset(silence_);
}

void ChunkPump::reset(Channel& channel) {
  add_hole(channel, channel.holes.end());
  add_hole(channel, channel.encoding_holes.end());
  channel.plays = channel.flowing = false;
  channel.recent.clear();
  channel.ahead.clear();
  channel.encoder.reset();
  channel.offered = channel.measured = -1;
}

// A station plays as soon as its ring has the turn's chunk and the live position, and from then on.
void ChunkPump::begin_playing() {
  if (!timeline_ || *timeline_ != reader_.timeline()) return;
  for (auto& entry : channels_) {
    Channel& channel = entry.second;
    if (channel.plays) continue;
    channel.plays = reader_.newest(channel.station).value_or(-1) >= std::max(next_, live_chunk(*timeline_));
  }
}

// The first chunk whose listeners' phases are all still to come.
std::int64_t ChunkPump::live_chunk(const Timeline& timeline) const {
  return std::max<std::int64_t>(0, timeline.chunk_at(clock_.now_ns()) + 2);
}

// Reads a chunk into `read_`. A ring of another timeline has nothing for this one.
RingRead ChunkPump::read(const StationId& station, std::int64_t chunk) {
  if (!reader_.ready() || *timeline_ != reader_.timeline()) return RingRead::kWriterGone;
  if (!read_) read_.emplace(timeline_->chunk_samples());
  const std::int64_t began_ns = clock_.now_ns();
  const RingRead outcome = reader_.read(station, chunk, read_->data());
  if (outcome == RingRead::kChunk) observe_ns(metrics_.copy_ms, clock_.now_ns() - began_ns);
  return outcome;
}

bool ChunkPump::begin_turn() {
  assert(thread_.is_current());
  assert(has_timeline());
  end_turn();
  turn_.reset();
  if (came_too_late()) return false;
  turn_ = next_++;
  for (auto& entry : channels_) {
    if (entry.second.always && entry.second.plays) take_turn(entry.second);
  }
  return true;
}

// True, and the pump stands at the live position, if it was lapped, or is a ring behind: seconds of silence
// in one burst would help no listener.
bool ChunkPump::came_too_late() {
  const std::int64_t live = live_chunk(*timeline_);
  const bool lapped =
      live - next_ > 1 && std::any_of(channels_.begin(), channels_.end(), [&](const auto& entry) {
        return entry.second.plays && read(entry.second.station, next_) == RingRead::kLapped;
      });
  if (!lapped && live - next_ <= ring_chunks_) return false;
  skip_to(live, lapped ? HoleCause::kOverrun : HoleCause::kBehind);
  return true;
}

void ChunkPump::skip_to(std::int64_t live, HoleCause cause) {
  metrics_.overruns.add();
  for (auto& entry : channels_) {
    if (entry.second.plays) {
      add_hole(entry.second, Hole{cause, next_, live - next_, true});
    }
    entry.second.recent.clear();
    auto& ahead = entry.second.ahead;
    while (!ahead.empty() && ahead.front().audio.seq < live) ahead.pop_front();
  }
  next_ = live;
}

void ChunkPump::end_turn() {
  if (!turn_) return;
  show_measured();
  release_if_idle(silence_);
  for (auto& entry : channels_) release_if_idle(entry.second);
}

bool ChunkPump::rendered(const StationId& station, std::int64_t chunk) const {
  return !turn_ || chunk <= *turn_ || reader_.newest(station).value_or(-1) >= chunk;
}

ChunkPump::Taken ChunkPump::take(const StationId& station, const FormatSet& formats, std::int64_t lead) {
  assert(thread_.is_current());
  Taken taken{{station, {}, -1, {}, lead}, {}};
  if (!turn_) return taken;
  Channel& from = channel_or_silence(station);
  take_turn(from);
  if (formats.any()) offer_to_meter(from);
  const std::int64_t seq = *turn_ + lead;
  read_ahead(from, seq + 1);
  if (any_opus(formats)) encode_from(from, *turn_, seq + 1 + ahead_chunks_, false);
  EncodedChunk* const chunk = lead == 0 ? &from.recent.back() : find_held(from, seq);
  if (chunk == nullptr) {
    taken.awaited = formats;
    taken.rendered = false;
    return taken;
  }
  const bool encoding = any_opus(formats) && from.encoder.encoding(*chunk);
  if (any_opus(formats) && !encoding && from.always && lead == 0)
    add_hole(from,
             from.encoding_holes.note(seq, chunk->opus ? std::nullopt : std::optional(HoleCause::kEncoding)));
  for (std::size_t i = 0; i < kWireFormats; ++i) {
    if (!formats[i]) continue;
    const auto format = static_cast<WireFormat>(i);
    if (encoding && is_opus(format)) {
      taken.awaited.set(i);
    } else if (lead > 0 && is_opus(format) && !chunk->opus) {
      taken.audio.lost.set(i);
      taken.audio.lost_seq = seq;
    } else {
      taken.audio.formats.at(i) = from.encoder.message(*chunk, format);
    }
  }
  // Silence is known only at its turn, so its encoding is never early.
  if (encoding && !chunk->audio.silence && !std::exchange(chunk->late, true)) metrics_.encodes_late.add();
  return taken;
}

void ChunkPump::take_turn(Channel& channel) {
  if (channel.took(*turn_)) return;
  if (take_from_ahead(channel)) {
    channel.recent.back().audio.due_unix_us = due_unix_us(*turn_);
    note_outcome(channel, RingRead::kChunk);
  } else {
    const RingRead outcome = channel.plays ? read(channel.station, *turn_) : RingRead::kNotYet;
    note_outcome(channel, outcome);
    channel.recent.push_back(make_chunk(*turn_, outcome));
  }
  while (channel.recent.size() > keep_) channel.recent.pop_front();
}

void ChunkPump::note_outcome(Channel& channel, RingRead outcome) {
  const bool was_flowing = std::exchange(channel.flowing, outcome == RingRead::kChunk);
  if (channel.metrics == nullptr) return;
  if (!channel.flowing) channel.metrics->underruns.add();
  // Personal stations may be thousands: they are not logged.
  if (!channel.always) return;
  if (channel.flowing && !was_flowing && !channel.holes.in_hole())
    log_info("audio flows", {{"station", channel.name}, {"chunk", *turn_}});
  std::optional<HoleCause> missing;
  // A station that a running synthd has ended misses nothing: the conductor is about to remove it.
  const bool ended = outcome == RingRead::kWriterGone && reader_.segment().writer_alive();
  if (!channel.flowing && !ended)
    missing = outcome == RingRead::kWriterGone ? HoleCause::kSynthdGone : HoleCause::kUnderrun;
  add_hole(channel, channel.holes.note(*turn_, missing));
}

void ChunkPump::add_hole(const Channel& channel, const std::optional<Hole>& hole) {
  if (hole) holes_.push_back({channel.station, channel.name, !channel.always, *hole});
}

std::int64_t ChunkPump::due_unix_us(std::int64_t chunk) const {
  return (timeline_->due_ns(chunk) + unix_ahead_ns_) / 1000;
}

// After kChunk, of the chunk that was read last; else of silence.
EncodedChunk ChunkPump::make_chunk(std::int64_t chunk, RingRead outcome) {
  const bool silence = outcome != RingRead::kChunk;
  PcmMessage pcm = silence ? PcmMessage(timeline_->chunk_samples()) : *std::exchange(read_, std::nullopt);
  AudioChunk audio;
  audio.seq = chunk;
  audio.due_unix_us = due_unix_us(chunk);
  audio.sample_rate = timeline_->sample_rate;
  audio.channels = timeline_->channels;
  audio.frames = timeline_->chunk_frames;
  audio.silence = silence;
  audio.samples = pcm.samples();
  return {std::move(audio), std::move(pcm), {}, {}, {}, {}, false};
}

AudioMessagePtr ChunkPump::held(const StationId& station, std::int64_t chunk, WireFormat format) {
  assert(thread_.is_current());
  Channel* const found = channel(station);
  if (found == nullptr || !found->plays || chunk < 0) return nullptr;
  if (turn_ && chunk == *turn_) take_turn(*found);
  if (chunk >= next_) {
    read_ahead(*found, chunk + 1);
    EncodedChunk* const early = find_held(*found, chunk);
    return early == nullptr ? nullptr : found->encoder.first_message(*early, format);
  }
  EncodedChunk* const held = hold(*found, chunk);
  return held == nullptr ? nullptr : found->encoder.first_message(*held, format);
}

// The chunk as it was taken or read ahead; else, from before the station had listeners, as the ring still has
// it.
EncodedChunk* ChunkPump::hold(Channel& channel, std::int64_t chunk) {
  auto& recent = channel.recent;
  auto position = std::find_if(recent.begin(), recent.end(),
                               [&](const EncodedChunk& one) { return one.audio.seq >= chunk; });
  if (position != recent.end() && position->audio.seq == chunk) return &*position;
  auto& ahead = channel.ahead;
  if (!ahead.empty() && ahead.front().audio.seq == chunk) {
    position = recent.insert(position, std::move(ahead.front()));
    ahead.pop_front();
    return &*position;
  }
  if (read(channel.station, chunk) != RingRead::kChunk) return nullptr;
  return &*recent.insert(position, make_chunk(chunk, RingRead::kChunk));
}

WireMessagePtr ChunkPump::stream_head(const StationId& station, WireFormat format, std::int64_t next) {
  Channel* const found = channel(station);
  if (found == nullptr) return nullptr;
  return found->encoder.stream_head(format, *timeline_, find_held(*found, next - 1));
}

double ChunkPump::depth_ms(const StationId& station) const {
  const auto newest = reader_.newest(station);
  const std::int64_t newest_chunk = newest ? *newest : timeline_->chunk_at(clock_.now_ns()) - 1;
  return static_cast<double>(timeline_->depth_ns(newest_chunk, clock_.now_ns())) / kNsPerMs;
}

}  // namespace auralis
