// SPDX-License-Identifier: MIT
#include "synthd/station.h"

#include <algorithm>
#include <cmath>

#include "synthd/composer/composer.h"
#include "synthd/engine/dsp/layout.h"

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

StationState Station::fresh_state(const MusicParameters& parameters) {
  StationState state;
  state.target = parameters;
  state.level_count = 1;
  state.levels[0] = {-1, parameters};  // before any chunk
  return state;
}

StationState Station::unchanged_state(const MusicParameters& parameters, std::uint32_t sample_rate,
                                      std::int64_t frame) {
  StationState state = fresh_state(parameters);
  const std::int64_t frames = bar_frames(parameters.bpm, sample_rate);
  const std::int64_t bars = (frame + frames - 1) / frames;  // that begin before it
  const std::int64_t oldest = std::max<std::int64_t>(bars - std::int64_t{StationState::kBars}, 0);
  for (std::int64_t bar = oldest; bar < bars; ++bar) {
    state.bars[state.bar_count++] = {bar, bar * frames, frames, parameters};
  }
  return state;
}

Station::Station(std::uint64_t seed, std::uint32_t sample_rate, const StationState& state)
    : seed_(seed), sample_rate_(sample_rate), state_(state) {
  voices_.reserve(StationState::kBars * Score::kMaxNotes);
  for (std::size_t bar = 0; bar < state_.bar_count; ++bar) {
    scores_.at(bar) = compose_bar(seed_, state_.bars[bar], sample_rate_);
  }
}

void Station::apply(const ControlRequest& request, std::int64_t chunk) {
  // A second change before the same chunk joins the first one's ramp.
  const bool joins = state_.levels[state_.level_count - 1].chunk == chunk;
  if (!joins && state_.level_count == StationState::kLevelChanges) {
    std::move(state_.levels + 1, state_.levels + StationState::kLevelChanges, state_.levels);
    --state_.level_count;
  }
  if (!joins) ++state_.level_count;
  state_.levels[state_.level_count - 1] = {chunk, request.parameters};
  state_.target = request.parameters;
  state_.applied_request = request.number;
}

void Station::lead_on(std::int64_t end_frame) {
  for (;;) {
    BarRecord next;
    if (state_.bar_count > 0) {
      const BarRecord& last = state_.bars[state_.bar_count - 1];
      next.index = last.index + 1;
      next.start_frame = last.start_frame + last.frames;
    }
    if (next.start_frame >= end_frame) return;
    next.frames = bar_frames(state_.target.bpm, sample_rate_);
    next.parameters = state_.target;
    if (state_.bar_count == StationState::kBars) {
      std::move(state_.bars + 1, state_.bars + StationState::kBars, state_.bars);
      std::move(scores_.begin() + 1, scores_.end(), scores_.begin());
      --state_.bar_count;
    }
    state_.bars[state_.bar_count] = next;
    scores_.at(state_.bar_count) = compose_bar(seed_, next, sample_rate_);
    ++state_.bar_count;
  }
}

StationChunk Station::prepare(const Timeline& timeline, std::int64_t chunk) {
  // To the end of the tile that the chunk's last frame lies in: a note that begins there moves all of it.
  lead_on(timeline.first_frame(chunk + 1) + kTileFrames);
  return recall(timeline, chunk);
}

StationChunk Station::recall(const Timeline& timeline, std::int64_t chunk) {
  voices_.clear();
  for (std::size_t bar = 0; bar < state_.bar_count; ++bar) {
    for (const Note& note : scores_[bar]) voices_.push_back(voice_of(note, state_.bars[bar], sample_rate_));
  }
  StationChunk result;
  result.first_frame = timeline.first_frame(chunk);
  result.voices = voices_.data();
  result.voice_count = voices_.size();
  std::size_t now = state_.level_count - 1;
  while (now > 0 && state_.levels[now].chunk > chunk) --now;
  const std::size_t before = now > 0 && state_.levels[now].chunk == chunk ? now - 1 : now;
  result.gains_start = group_gains(state_.levels[before].levels);
  result.gains_end = group_gains(state_.levels[now].levels);
  result.dither_seed = dither_seed();
  return result;
}

}  // namespace auralis
