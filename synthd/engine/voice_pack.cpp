// SPDX-License-Identifier: MIT
#include "synthd/engine/voice_pack.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <tuple>

namespace auralis {
namespace {

constexpr double kTurn = 4'294'967'296.0;    // 2^32
constexpr double kReverbDecaySeconds = 2.5;  // to -60 dB

// Lengths of the delay lines in frames at 44,100 Hz, the shortest 24 ms: primes, so that no two resonate
// together, and one less than a multiple of kRowFrames.
constexpr std::array<double, kReverbLines> kLineFrames{1'039, 1'327, 1'567, 1'823,
                                                       2'111, 2'383, 2'719, 3'023};

std::int64_t frames_of(std::uint32_t ms, std::uint32_t sample_rate) {
  return std::int64_t{ms} * sample_rate / 1'000;
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

// Schedule of the two reverbs: even turns feed one, odd turns the other.
struct ReverbTurns {
  std::int64_t feed_frames;
  std::int64_t tail_frames;
  std::int64_t offset;

  ReverbTurns(std::uint32_t dither_seed, std::uint32_t sample_rate)
      : feed_frames(frames_of(kReverbFeedMs, sample_rate)),
        tail_frames(frames_of(kReverbTailMs, sample_rate)),
        offset(dither_seed % static_cast<std::uint32_t>(feed_frames)) {}

  std::int64_t turn(std::int64_t frame) const { return floor_divide(frame + offset, feed_frames); }
  std::int64_t begin(std::int64_t turn) const { return turn * feed_frames - offset; }
};

std::uint32_t in_chunk(std::int64_t frame, std::uint32_t chunk_frames) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(frame, 0, chunk_frames));
}

std::uint32_t scaled(std::uint32_t increment, double ratio) {
  return static_cast<std::uint32_t>(std::llround(increment * ratio));
}

// A pad's two tones are detuned by 4 cents down and up and panned apart; the saw of each is 5 cents above its
// sine. Ratios are 2^(cents / 1200).
constexpr std::array<double, 2> kPadRatios{0.9976921765, 1.0023131618};
constexpr float kPadSpread = 0.6F;
constexpr float kPadGain = 0.72F;
constexpr double kSawRatio = 1.0028922879;
constexpr double kSawEdgeFrames = 4;  // as in dsp/oscillators.h

constexpr std::uint32_t kEchoes = 3;
constexpr float kEchoGain = 0.42F;
// Brightness of the tone and its echoes: each echo is darker than the one before.
constexpr std::array<float, kEchoes + 1> kEchoTones{1, 0.75F, 0.5625F, 0.421875F};
constexpr float kEchoPan = 0.6F;  // left, right, left
constexpr float kLeadTone = 0.5F;

constexpr double kSwellRise = 0.6;  // rise of a swell's frequency up to its middle, relative

}  // namespace

DspShape dsp_shape(const EngineShape& shape) {
  DspShape dsp{};
  dsp.chunk_frames = shape.chunk_frames;
  // Worst case: a chunk that starts on the last frame of a tile.
  const std::uint32_t tiles = (shape.chunk_frames + 2 * kTileFrames - 2) / kTileFrames;
  dsp.tiles = (tiles + kBlockTiles - 1) / kBlockTiles * kBlockTiles;
  dsp.curve_points = (std::max(dsp.tiles + 3, std::uint32_t{kStepWords}) + 15) / 16 * 16;
  dsp.voice_stride = static_cast<std::uint32_t>(shape.voices);
  dsp.tremolo_increment = increment_of(0.5, shape.sample_rate);
  dsp.vibrato_increment = increment_of(4.8, shape.sample_rate);
  dsp.colour_increment = increment_of(0.3, shape.sample_rate);
  dsp.second_frames = static_cast<float>(shape.sample_rate);
  dsp.pad_release_frames = static_cast<float>(frames_of(kPadReleaseMs, shape.sample_rate));
  dsp.lead_release_frames = static_cast<float>(frames_of(kLeadReleaseMs, shape.sample_rate));
  dsp.kick_frames = static_cast<float>(frames_of(kKickMs, shape.sample_rate));
  dsp.reverb_level = 0.11F;
  for (std::size_t line = 0; line < kReverbLines; ++line) {
    dsp.line_begin[line] = dsp.reverb_frames;
    const double rows = (kLineFrames.at(line) + 1) / kRowFrames * shape.sample_rate / 44'100;
    const auto words = static_cast<std::uint32_t>(std::lround(rows)) * kRowFrames;
    // One word more than frames, for the older neighbour, and a row whose first word is the newer neighbour
    // when the line wraps (reverb.h).
    dsp.line_frames[line] = words - 1;
    dsp.reverb_frames += words + kRowFrames;
    const double rounds = kReverbDecaySeconds * shape.sample_rate / dsp.line_frames[line];
    dsp.line_gain[line] = static_cast<float>(std::pow(1e-3, 1 / rounds) / std::sqrt(double{kReverbLines}));
  }
  return dsp;
}

bool is_batch(const EngineShape& shape, const StationChunk* batch, std::size_t count) {
  std::vector<bool> seen(shape.stations);
  for (const StationChunk* chunk = batch; chunk != batch + count; ++chunk) {
    if (chunk->station >= shape.stations || seen[chunk->station]) return false;
    seen[chunk->station] = true;
  }
  return true;
}

std::int64_t reverb_start(std::int64_t frame, std::uint32_t dither_seed, std::uint32_t sample_rate) {
  const ReverbTurns turns(dither_seed, sample_rate);
  const std::int64_t turn = turns.turn(frame);
  const bool other_rings = frame < turns.begin(turn) + turns.tail_frames;
  return std::max<std::int64_t>(turns.begin(other_rings ? turn - 1 : turn), 0);
}

std::uint32_t increment_of(double hz, std::uint32_t sample_rate) {
  return static_cast<std::uint32_t>(std::llround(hz * kTurn / sample_rate));
}

std::int64_t voice_frames(const Voice& voice, std::uint32_t sample_rate) {
  switch (voice.type) {
    case VoiceType::kPad:
      return voice.gate_frames + frames_of(kPadReleaseMs, sample_rate);
    case VoiceType::kLead:
      return voice.gate_frames + frames_of(kLeadReleaseMs, sample_rate);
    case VoiceType::kKick:
      return frames_of(kKickMs, sample_rate);
    case VoiceType::kSwell:
      break;
  }
  return voice.gate_frames;
}

VoicePacker::VoicePacker(const EngineShape& shape) : shape_(shape), dsp_(dsp_shape(shape)) {
  // Room for candidates; a chunk with more allocates once.
  tones_.reserve(shape.voices * 4);
}

// Collects the tones of the voice that sound in the tiles [begin, end), in frames.
void VoicePacker::collect(const Voice& voice, std::int64_t begin, std::int64_t end) {
  const std::int64_t frames = voice_frames(voice, shape_.sample_rate);
  if (voice.start_frame >= end) return;
  if (voice.start_frame + frames + std::int64_t{kEchoes} * voice.echo_frames <= begin) return;
  const auto add = [&](std::uint32_t part, std::int64_t start, float gain) {
    if (start >= end || start + frames <= begin) return;
    // Construct in place: a wider copy would stall on the smaller stores just made (store forwarding).
    Tone& tone = tones_.emplace_back();
    tone.voice = &voice;
    tone.part = part;
    tone.start = start;
    tone.gain = gain;
  };
  if (voice.type == VoiceType::kPad) {
    add(0, voice.start_frame, voice.gain * kPadGain);
    add(1, voice.start_frame, voice.gain * kPadGain);
    return;
  }
  float gain = voice.gain;
  const std::uint32_t echoes = voice.echo_frames > 0 ? kEchoes : 0;
  for (std::uint32_t echo = 0; echo <= echoes; ++echo) {
    add(echo, voice.start_frame + std::int64_t{echo} * voice.echo_frames, gain);
    gain *= kEchoGain;
  }
}

void VoicePacker::pack_tone(const Tone& tone, std::int64_t first_tile_frame, PackedVoice& p) const {
  const Voice& voice = *tone.voice;
  p = {};
  p.start = static_cast<std::int32_t>(tone.start - first_tile_frame);
  p.frames = static_cast<std::int32_t>(voice_frames(voice, shape_.sample_rate));
  p.gate = static_cast<std::int32_t>(voice.gate_frames);
  p.increment = voice.phase_increment;
  p.seed = voice.seed;
  float pan = voice.pan;
  const bool odd = tone.part % 2 == 1;
  if (voice.type == VoiceType::kPad) {
    p.increment = scaled(voice.phase_increment, kPadRatios.at(tone.part));
    p.second = scaled(p.increment, kSawRatio);
    p.seed = voice.seed + (odd ? 0x9e3779b9U : 0U);
    pan += odd ? kPadSpread : -kPadSpread;
    // Limit the edge to half a turn on either side at high pitches.
    p.shape = static_cast<float>(std::max(1 / (kSawEdgeFrames * std::max(p.second, 1U)), 2.0 / kTurn));
  } else if (voice.type == VoiceType::kLead) {
    p.shape = kLeadTone * kEchoTones.at(tone.part);
    if (tone.part > 0) pan = odd ? -kEchoPan : kEchoPan;
  } else if (voice.type == VoiceType::kSwell) {
    p.second =
        static_cast<std::uint32_t>(voice.phase_increment * kSwellRise * 2 / std::max(voice.gate_frames, 1U));
  }
  // Equal-power panning; at the centre both sides have the voice's gain.
  pan = std::clamp(pan, -1.0F, 1.0F);
  p.left = tone.gain * std::sqrt(1 - pan);
  p.right = tone.gain * std::sqrt(1 + pan);
}

std::size_t VoicePacker::pack(const StationChunk& chunk, PackedVoice* voices, PackedStation& station) {
  assert(checker_.is_current());
  const std::int64_t first_tile = floor_divide(chunk.first_frame, kTileFrames);
  const std::int64_t begin = first_tile * kTileFrames;
  const std::int64_t end = chunk.first_frame + shape_.chunk_frames;
  tones_.clear();
  for (const Voice* v = chunk.voices; v != chunk.voices + chunk.voice_count; ++v) {
    // Up to the end of the last tile, so that the tones of a tile do not depend on where the chunk ends.
    collect(*v, begin, (end + kTileFrames - 1) / kTileFrames * kTileFrames);
  }
  // Compare all fields of a tone, the most audible first: the order is total, so it depends on the voices
  // alone.
  const auto rank = [](const Tone& t) {
    const Voice& v = *t.voice;
    return std::make_tuple(-t.start, v.type, v.phase_increment, v.gate_frames, v.seed, v.pan, t.part);
  };
  std::sort(tones_.begin(), tones_.end(), [&](const Tone& a, const Tone& b) {
    return a.gain != b.gain ? a.gain > b.gain : rank(a) < rank(b);
  });
  const std::size_t dropped = tones_.size() > shape_.voices ? tones_.size() - shape_.voices : 0;
  tones_.resize(tones_.size() - dropped);

  station = {};
  station.first_tile = static_cast<std::uint32_t>(static_cast<std::uint64_t>(first_tile));
  station.first_frame = static_cast<std::uint32_t>(chunk.first_frame - begin);
  station.axis_frame = static_cast<std::uint32_t>(static_cast<std::uint64_t>(chunk.first_frame));
  station.dither_seed = chunk.dither_seed;
  station.index = static_cast<std::uint32_t>(chunk.station);
  std::uint32_t count = 0;
  for (std::size_t type = 0; type < kVoiceTypes; ++type) {
    for (const Tone& tone : tones_) {
      if (static_cast<std::size_t>(tone.voice->type) == type) pack_tone(tone, begin, voices[count++]);
    }
    station.ends[type] = count;
    station.gains_start[type] = chunk.gains_start[type];
    station.gains_end[type] = chunk.gains_end[type];
  }

  assert(count == tones_.size() && count <= shape_.voices);

  // Use the turn of the frame before the chunk: a turn that starts with the chunk is a switch at frame 0.
  const ReverbTurns turns(chunk.dither_seed, shape_.sample_rate);
  const std::int64_t turn = turns.turn(chunk.first_frame - 1);
  station.reverb_fed = static_cast<std::uint32_t>(turn & 1);
  station.reverb_fade =
      in_chunk(turns.begin(turn) + turns.tail_frames - chunk.first_frame, shape_.chunk_frames);
  const std::int64_t next_turn = turns.begin(turn + 1) - chunk.first_frame;
  station.reverb_switch = next_turn < shape_.chunk_frames ? static_cast<std::uint32_t>(next_turn)
                                                          : std::numeric_limits<std::uint32_t>::max();
  for (std::size_t line = 0; line < kReverbLines; ++line) {
    station.line_position[line] =
        static_cast<std::uint32_t>(chunk.first_frame % (dsp_.line_frames[line] + 1));
  }
  return dropped;
}

}  // namespace auralis
