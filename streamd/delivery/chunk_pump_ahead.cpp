// SPDX-License-Identifier: MIT
// Chunks that the pump reads ahead of their turn, for listeners with a lead, and to have them encoded in
// Opus.
#include <algorithm>
#include <cassert>
#include <utility>

#include "streamd/delivery/chunk_pump.h"

namespace auralis {

// Drops what waits for its encoding and is no longer held, and the encoder once no listener needs it.
void ChunkPump::release_if_idle(Channel& channel) {
  channel.encoder.skip_before(*turn_ + 1 - static_cast<std::int64_t>(keep_));
  channel.encoder.release_if_idle(*turn_);
}

ChunkPump::Taken ChunkPump::take_late(const StationId& station, std::int64_t chunk,
                                      const FormatSet& formats) {
  assert(thread_.is_current());
  Channel& from = channel_or_silence(station);
  if (turn_ && chunk == *turn_) take_turn(from);
  if (turn_ && chunk >= *turn_ && chunk - *turn_ <= ring_chunks_) {
    read_ahead(from, chunk + 1);
    if (any_opus(formats)) encode_from(from, *turn_, chunk + 1, false);
  }
  Taken taken = take_held(from, chunk, formats);
  taken.audio.station = station;
  if (taken.awaited.any() || !any_opus(formats) || !from.always) return taken;
  std::optional<HoleCause> missing;
  if (taken.audio.lost.any()) missing = HoleCause::kEncoding;
  // That a chunk is there is noted at its turn: in order.
  if (!missing && turn_ && chunk > *turn_) return taken;
  add_hole(from, from.encoding_holes.note(chunk, missing));
  return taken;
}

ChunkPump::Taken ChunkPump::take_held(Channel& from, std::int64_t chunk, const FormatSet& formats) {
  Taken taken{{{}, {}, chunk, formats}, {}};
  const auto find = [&](std::int64_t seq) { return find_held(from, seq); };
  from.encoder.collect(find);
  EncodedChunk* const held = find(chunk);
  // Of a later turn, it may still be rendered. One that is far later is of a former timeline.
  const bool early = turn_ && chunk > *turn_ && chunk - *turn_ <= ring_chunks_;
  if (held == nullptr) {
    if (early) taken.awaited = std::exchange(taken.audio.lost, {});
    taken.rendered = !early;
    return taken;
  }
  const bool encoding = from.encoder.encoding(*held);
  for (std::size_t i = 0; i < kWireFormats; ++i) {
    const auto format = static_cast<WireFormat>(i);
    if (!formats[i] || (is_opus(format) && !encoding && !held->opus)) continue;
    taken.audio.lost.reset(i);
    if (is_opus(format) && encoding) {
      taken.awaited.set(i);
    } else {
      taken.audio.formats.at(i) = from.encoder.message(*held, format);
    }
  }
  return taken;
}

// True if the turn's chunk was read ahead.
bool ChunkPump::take_from_ahead(Channel& channel) {
  while (!channel.ahead.empty() && channel.ahead.front().audio.seq <= *turn_) {
    channel.recent.push_back(std::move(channel.ahead.front()));
    channel.ahead.pop_front();
  }
  return channel.took(*turn_);
}

// Up to `end`. Chunks in the ring are final: a change of parameters is rendered into later ones only.
void ChunkPump::read_ahead(Channel& channel, std::int64_t end) {
  std::int64_t seq = next_;
  if (!channel.ahead.empty()) seq = std::max(seq, channel.ahead.back().audio.seq + 1);
  const bool silence = &channel == &silence_;
  // WHY newest() first: while the ring is behind, this is asked for again and again.
  if (!silence && seq < end && reader_.newest(channel.station).value_or(-1) < seq) return;
  for (; seq < end; ++seq) {
    if (!silence && (!channel.plays || read(channel.station, seq) != RingRead::kChunk)) return;
    channel.ahead.push_back(make_chunk(seq, silence ? RingRead::kWriterGone : RingRead::kChunk));
  }
}

// Submits the chunks from `first` on, those that are held, and those that are read ahead: some chunks, and
// all up to `end`. Collects what is done.
void ChunkPump::encode_from(Channel& channel, std::int64_t first, std::int64_t end, bool head_follows) {
  read_ahead(channel, std::max(end, next_ + ahead_chunks_));
  for (const auto* chunks : {&channel.recent, &channel.ahead}) {
    for (const EncodedChunk& chunk : *chunks) {
      if (chunk.audio.seq >= first) channel.encoder.submit(chunk, head_follows);
    }
  }
  channel.encoder.collect([&](std::int64_t seq) { return find_held(channel, seq); });
}

bool ChunkPump::prepare(const StationId& station, WireFormat format, std::int64_t first, std::int64_t end) {
  assert(thread_.is_current());
  Channel* const found = channel(station);
  if (!is_opus(format) || found == nullptr || !found->plays) return true;
  if (turn_ && first <= *turn_ && *turn_ <= end) take_turn(*found);
  // From the turn on at least: Opus only goes forward, and listeners with less of a lead need those chunks.
  const std::int64_t from = std::max<std::int64_t>(0, turn_ ? std::min(first, *turn_) : first);
  for (std::int64_t seq = from; seq < std::min(end, next_); ++seq) hold(*found, seq);
  encode_from(*found, from, end + 1, format == WireFormat::kOggOpus && first < end);
  for (std::int64_t seq = first; seq <= end; ++seq) {
    const EncodedChunk* const held = find_held(*found, seq);
    if (held != nullptr && found->encoder.encoding(*held)) return false;
  }
  return true;
}

EncodedChunk* ChunkPump::find_held(Channel& channel, std::int64_t chunk) {
  for (auto* chunks : {&channel.recent, &channel.ahead}) {
    for (EncodedChunk& one : *chunks) {
      if (one.audio.seq == chunk) return &one;
    }
  }
  return nullptr;
}

}  // namespace auralis
