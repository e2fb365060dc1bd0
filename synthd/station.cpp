// SPDX-License-Identifier: MIT
#include "synthd/station.h"

#include <algorithm>
#include <cmath>

#include "synthd/composer/composer.h"
#include "synthd/engine/dsp/layout.h"
#include "synthd/engine/voice_pack.h"

namespace auralis {
namespace {

constexpr double kKickHz = 40;
constexpr double kSwellHz = 260;
constexpr double kSwellRangeHz = 240;

// Level of each group's loudest note in the mix, and how much of it stays at intensity 0.
struct GroupLevel {
  float level;
  float at_rest;
};
constexpr std::array<GroupLevel, kVoiceTypes> kGroupLevels{{
    {0.165F, 0.8F},  // pads
    {0.165F, 0.6F},  // melody
    {0.5F, 0.4F},    // kicks
    {0.3F, 0.6F},    // swells
}};

std::array<float, kVoiceTypes> group_gains(const MusicParameters& parameters) {
  std::array<float, kVoiceTypes> gains{};
  for (std::size_t group = 0; group < gains.size(); ++group) {
    if (!parameters.has(static_cast<VoiceGroup>(group))) continue;
    const auto [level, at_rest] = kGroupLevels[group];
    gains[group] = level * (at_rest + (1 - at_rest) * parameters.intensity);
  }
  return gains;
}

static_assert(kComposedAheadFrames == kTileFrames, "a note that begins in a tile sounds in all of it");

// Groups of the controls and types of voices stand in the same order.
static_assert(static_cast<int>(VoiceGroup::kPads) == static_cast<int>(VoiceType::kPad) &&
              static_cast<int>(VoiceGroup::kMelody) == static_cast<int>(VoiceType::kLead) &&
              static_cast<int>(VoiceGroup::kKicks) == static_cast<int>(VoiceType::kKick) &&
              static_cast<int>(VoiceGroup::kSwells) == static_cast<int>(VoiceType::kSwell));

std::uint32_t note_increment(const Note& note, std::uint32_t sample_rate) {
  if (note.group == VoiceGroup::kKicks) return increment_of(kKickHz, sample_rate);
  if (note.group == VoiceGroup::kSwells) {
    return increment_of(kSwellHz + kSwellRangeHz * (note.seed % 256) / 256, sample_rate);
  }
  return phase_increment(note.pitch, sample_rate);
}

Voice voice_of(const Note& note, const BarRecord& bar, std::uint32_t sample_rate) {
  Voice voice;
  voice.type = static_cast<VoiceType>(note.group);
  voice.start_frame = note.start_frame;
  voice.gate_frames = note.gate_frames;
  voice.phase_increment = note_increment(note, sample_rate);
  // A dotted eighth of the bar's tempo, four beats a bar.
  if (note.group == VoiceGroup::kMelody) voice.echo_frames = static_cast<std::uint32_t>(bar.frames * 3 / 16);
  voice.seed = note.seed;
  voice.gain = note.accent;
  voice.pan = note.pan;
  return voice;
}

}  // namespace

std::uint32_t phase_increment(int pitch, std::uint32_t sample_rate) {
  // 440 Hz * 2^(k/12) for A4 and the eleven notes above it.
  constexpr std::array<double, 12> kHz{440.0,
                                       466.16376151808992,
                                       493.88330125612411,
                                       523.25113060119727,
                                       554.36526195374415,
                                       587.32953583481516,
                                       622.25396744416184,
                                       659.25511382573986,
                                       698.45646286600777,
                                       739.98884542326880,
                                       783.99087196349853,
                                       830.60939515989020};
  const int above = pitch - 69 + 12 * 12;  // from an A below all notes, so that the division rounds down
  const double hz = std::ldexp(kHz.at(static_cast<std::size_t>(above % 12)), above / 12 - 12);
  return increment_of(hz, sample_rate);
}

Station::Station(std::uint64_t seed, const Timeline& timeline, const ParameterHistory& history)
    : seed_(seed), timeline_(timeline), history_(history) {
  voices_.reserve(Bars::kMost * Score::kMaxNotes);
}

std::int64_t Station::reverb_chunk(std::int64_t chunk) const {
  const std::int64_t frame = timeline_.first_frame(chunk);
  return reverb_start(frame, dither_seed(), timeline_.sample_rate) / timeline_.chunk_frames;
}

const Score& Station::score_of(const BarRecord& bar) {
  Composed& composed = composed_.at(static_cast<std::size_t>(bar.index) % Bars::kMost);
  if (composed.bar != bar) composed = {bar, compose_bar(seed_, bar, timeline_.sample_rate)};
  return composed.score;
}

StationChunk Station::prepare(std::int64_t chunk) {
  voices_.clear();
  for (const BarRecord& bar : bars_before(history_, timeline_, composed_until(timeline_, chunk))) {
    for (const Note& note : score_of(bar)) voices_.push_back(voice_of(note, bar, timeline_.sample_rate));
  }
  StationChunk result;
  result.first_frame = timeline_.first_frame(chunk);
  result.voices = voices_.data();
  result.voice_count = voices_.size();
  const Levels levels = levels_in(history_, chunk);
  result.gains_start = group_gains(*levels.begin);
  result.gains_end = group_gains(*levels.end);
  result.dither_seed = dither_seed();
  return result;
}

}  // namespace auralis
