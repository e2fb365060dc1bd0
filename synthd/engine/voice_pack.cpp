// SPDX-License-Identifier: MIT
#include "synthd/engine/voice_pack.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace auralis {
namespace {

// All of a voice, the most audible first: so the order is total, and equal for equal voices.
auto rank(const Voice& v) {
  return std::make_tuple(-v.gain, -v.start_frame, v.type, v.phase_increment, v.gate_frames, v.seed, v.pan);
}

PackedVoice packed(const Voice& voice, std::int64_t first_frame) {
  constexpr double kFiveCents = 1.00289228786936799;  // 2^(5/1200)
  PackedVoice p;
  p.start = static_cast<std::int32_t>(voice.start_frame - first_frame);
  p.gate = voice.gate_frames;
  p.increment = voice.phase_increment;
  p.detuned = static_cast<std::uint32_t>(std::llround(voice.phase_increment * kFiveCents));
  p.seed = voice.seed;
  // Equal power; in the middle both sides have the voice's gain.
  p.left = voice.gain * std::sqrt(1 - voice.pan);
  p.right = voice.gain * std::sqrt(1 + voice.pan);
  return p;
}

}  // namespace

std::int64_t voice_frames(const Voice& voice, std::uint32_t sample_rate) {
  const auto frames = [sample_rate](std::uint32_t ms) { return std::int64_t{ms} * sample_rate / 1'000; };
  switch (voice.type) {
    case VoiceType::kPad:
      return voice.gate_frames + frames(kPadReleaseMs);
    case VoiceType::kLead:
      return voice.gate_frames + frames(kLeadReleaseMs);
    case VoiceType::kKick:
      return frames(kKickMs);
    case VoiceType::kSwell:
      break;
  }
  return voice.gate_frames;
}

VoicePacker::VoicePacker(const EngineShape& shape) : shape_(shape) {
  // Room to choose from; more than that at a time would be taken once.
  sounding_.reserve(shape.voices * 4);
}

std::size_t VoicePacker::pack(const StationChunk& chunk, PackedVoice* voices, PackedStation& station) {
  sounding_.clear();
  const std::int64_t end = chunk.first_frame + shape_.chunk_frames;
  for (const Voice* v = chunk.voices; v != chunk.voices + chunk.voice_count; ++v) {
    if (v->start_frame >= end) continue;
    if (v->start_frame + voice_frames(*v, shape_.sample_rate) <= chunk.first_frame) continue;
    sounding_.push_back(v);
  }
  std::sort(sounding_.begin(), sounding_.end(),
            [](const Voice* a, const Voice* b) { return rank(*a) < rank(*b); });
  const std::size_t dropped = sounding_.size() > shape_.voices ? sounding_.size() - shape_.voices : 0;
  sounding_.resize(sounding_.size() - dropped);

  station.first_frame = static_cast<std::uint32_t>(static_cast<std::uint64_t>(chunk.first_frame));
  station.dither_seed = chunk.dither_seed;
  std::uint32_t count = 0;
  for (std::size_t type = 0; type < kVoiceTypes; ++type) {
    for (const Voice* v : sounding_) {
      if (static_cast<std::size_t>(v->type) == type) voices[count++] = packed(*v, chunk.first_frame);
    }
    station.ends[type] = count;
    station.gains_start[type] = chunk.gains_start[type];
    station.gains_end[type] = chunk.gains_end[type];
  }
  return dropped;
}

}  // namespace auralis
