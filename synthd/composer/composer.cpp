// SPDX-License-Identifier: MIT
#include "synthd/composer/composer.h"

#include "synthd/composer/arc.h"
#include "synthd/composer/harmony.h"
#include "synthd/composer/melody.h"
#include "synthd/composer/random_stream.h"

namespace auralis {
namespace {

// Bars in a group. A group holds at most one event, in one of its first three bars: kicks are 4 to 8 bars
// apart, swells 3 to 7 (or more, since some groups have none).
constexpr std::int64_t kKickGroupBars = 6;
constexpr std::int64_t kSwellGroupBars = 5;
constexpr std::uint32_t kGroupOffsets = 3;

constexpr std::uint32_t kKickLateMs = 12;  // maximum delay, for a human feel

constexpr std::uint32_t kShortestSwellMs = 3'000;
constexpr std::uint32_t kLongestSwellMs = 8'000;

void compose_pads(std::uint64_t seed, const BarRecord& bar, const Chord& chord, Score& score) {
  // Pan positions: the bass in the middle; each led voice keeps its position from chord to chord.
  constexpr std::array<float, Chord::kMaxPitches> kPans{0, -0.5F, 0.5F, -0.15F, 0.3F, -0.7F, 0.7F};
  const std::uint32_t first_seed = RandomStream(seed, Purpose::kPad, bar.index).next();
  for (std::size_t i = 0; i < chord.pitch_count; ++i) {
    Note note;
    note.group = VoiceGroup::kPads;
    note.start_frame = bar.start_frame;
    note.gate_frames = static_cast<std::uint32_t>(bar.frames);
    note.pitch = chord.pitches[i];
    note.accent = i == 0 ? 1.0F : i < 4 ? 0.8F : 0.5F;
    const bool led = i > 0 && i <= chord.voices.size();
    note.pan = kPans.at(led ? 1 + chord.voices.at(i - 1) : i);
    note.seed = first_seed + static_cast<std::uint32_t>(i) * 0x9E3779B9U;
    if (i == Chord::kThird && chord.suspension != 0) {
      Note suspension = note;
      suspension.pitch = chord.suspension;
      suspension.gate_frames = note.gate_frames / 2;
      suspension.seed += 1;
      score.add(suspension);
      note.start_frame += suspension.gate_frames;
      note.gate_frames -= suspension.gate_frames;
    }
    score.add(note);
  }
}

void compose_kick(std::uint64_t seed, const BarRecord& bar, std::uint32_t sample_rate, Score& score) {
  if (bar.parameters.intensity < kKickIntensity) return;
  RandomStream random(seed, Purpose::kKick, bar.index / kKickGroupBars);
  if (bar.index % kKickGroupBars != random.below(kGroupOffsets)) return;
  Note note;
  note.group = VoiceGroup::kKicks;
  note.start_frame = bar.start_frame + random.below(kKickLateMs * sample_rate / 1'000 + 1);
  note.gate_frames = sample_rate;
  note.seed = random.next();
  score.add(note);
}

void compose_swell(std::uint64_t seed, const BarRecord& bar, std::uint32_t sample_rate, Score& score) {
  RandomStream random(seed, Purpose::kSwell, bar.index / kSwellGroupBars);
  if (bar.index % kSwellGroupBars != random.below(kGroupOffsets)) return;
  const int chance = 180 + arc_at(seed, bar.index).fullness;
  if (random.below(256) >= static_cast<std::uint32_t>(chance)) return;
  const std::uint32_t length_ms = kShortestSwellMs + random.below(kLongestSwellMs - kShortestSwellMs + 1);
  Note note;
  note.group = VoiceGroup::kSwells;
  note.start_frame = bar.start_frame + bar.frames * random.below(8) / 8;
  note.gate_frames = static_cast<std::uint32_t>(std::uint64_t{length_ms} * sample_rate / 1'000);
  note.accent = 0.5F + static_cast<float>(random.below(256)) * (0.5F / 256);
  note.pan = static_cast<float>(random.below(256)) * (1.0F / 256) - 0.5F;
  note.seed = random.next();
  score.add(note);
}

}  // namespace

Score compose_bar(std::uint64_t seed, const BarRecord& bar, std::uint32_t sample_rate) {
  Score score;
  const Chord chord = chord_of(seed, bar.index, bar.parameters);
  compose_pads(seed, bar, chord, score);
  compose_melody(seed, bar, chord, sample_rate, score);
  compose_kick(seed, bar, sample_rate, score);
  compose_swell(seed, bar, sample_rate, score);
  return score;
}

}  // namespace auralis
