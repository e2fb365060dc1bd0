// SPDX-License-Identifier: MIT
// Chunks that the pump reads ahead of its turn and has encoded in Opus.
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
  Taken taken = take_encoded(from, chunk, formats);
  taken.audio.station = station;
  if (taken.encoding.any() || !from.always) return taken;
  std::optional<HoleCause> missing;
  if (taken.audio.lost.any()) missing = HoleCause::kEncoding;
  add_hole(from, from.encoding_holes.note(chunk, missing));
  return taken;
}

ChunkPump::Taken ChunkPump::take_encoded(Channel& from, std::int64_t chunk, const FormatSet& formats) {
  Taken taken{{{}, {}, chunk, formats}, {}};
  const auto find = [&](std::int64_t seq) { return find_held(from, seq); };
  from.encoder.collect(find);
  EncodedChunk* const held = find(chunk);
  if (held == nullptr) return taken;
  if (from.encoder.encoding(*held)) {
    taken.encoding = std::exchange(taken.audio.lost, {});
  } else if (held->opus) {
    taken.audio.lost.reset();
    for (std::size_t i = 0; i < kWireFormats; ++i) {
      if (formats[i]) taken.audio.formats.at(i) = from.encoder.message(*held, static_cast<WireFormat>(i));
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

// Chunks in the ring are final: a change of parameters is rendered into later ones only.
void ChunkPump::read_ahead(Channel& channel) {
  std::int64_t seq = next_;
  if (!channel.ahead.empty()) seq = std::max(seq, channel.ahead.back().audio.seq + 1);
  for (; seq < next_ + ahead_chunks_; ++seq) {
    const bool silence = &channel == &silence_;
    if (!silence && (!channel.plays || read(channel.station, seq) != RingRead::kChunk)) return;
    channel.ahead.push_back(make_chunk(seq, silence ? RingRead::kWriterGone : RingRead::kChunk));
  }
}

// Submits the chunks from `first` on, held and read ahead, and collects what is done.
void ChunkPump::encode_from(Channel& channel, std::int64_t first, bool head_follows) {
  read_ahead(channel);
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
  for (std::int64_t seq = std::max<std::int64_t>(first, 0); seq < end; ++seq) hold(*found, seq);
  encode_from(*found, first, format == WireFormat::kOggOpus && first < end);
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
