// SPDX-License-Identifier: MIT
#include "synthd/composer/composer.h"

#include "synthd/composer/harmony.h"
#include "synthd/composer/melody.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <vector>

using namespace auralis;

namespace {

constexpr std::uint32_t kRate = 44'100;
constexpr std::uint64_t kSeed = 42;

BarRecord bar_at(std::int64_t index, const MusicParameters& parameters) {
  BarRecord bar;
  bar.index = index;
  bar.frames = bar_frames(parameters.bpm, kRate);
  bar.start_frame = index * bar.frames;
  bar.parameters = parameters;
  return bar;
}

std::vector<Note> notes_of(VoiceGroup group, int bars, const MusicParameters& parameters) {
  std::vector<Note> notes;
  for (int index = 0; index < bars; ++index) {
    for (const Note& note : compose_bar(kSeed, bar_at(index, parameters), kRate)) {
      if (note.group == group) notes.push_back(note);
    }
  }
  return notes;
}

bool same(const Score& a, const Score& b) {
  if (a.count != b.count) return false;
  for (std::size_t i = 0; i < a.count; ++i) {
    const Note& x = a.notes.at(i);
    const Note& y = b.notes.at(i);
    if (x.start_frame != y.start_frame || x.gate_frames != y.gate_frames || x.seed != y.seed ||
        x.group != y.group || x.pitch != y.pitch || x.accent != y.accent || x.pan != y.pan) {
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("a bar is the same whatever was composed before it") {
  const MusicParameters& focus = kPresets[0].parameters;
  const Score alone = compose_bar(kSeed, bar_at(1'000'000, focus), kRate);
  for (int index = 0; index < 100; ++index) compose_bar(kSeed, bar_at(index, focus), kRate);
  CHECK(same(compose_bar(kSeed, bar_at(1'000'000, focus), kRate), alone));
  CHECK_FALSE(same(compose_bar(kSeed + 1, bar_at(1'000'000, focus), kRate), alone));
}

TEST_CASE("a bar has four beats") {
  CHECK(bar_frames(60, 44'100) == 4 * 44'100);
  CHECK(bar_frames(120, 48'000) == 2 * 48'000);
  CHECK(bar_frames(70, 44'100) == 151'200);
}

TEST_CASE("notes start in their bar and end in the time that a station remembers") {
  for (const float bpm : {40.0F, 120.0F}) {
    for (const float intensity : {0.0F, 0.5F, 1.0F}) {
      MusicParameters parameters;
      parameters.bpm = bpm;
      parameters.intensity = intensity;
      for (int index = 0; index < 300; ++index) {
        const BarRecord bar = bar_at(index, parameters);
        for (const Note& note : compose_bar(kSeed, bar, kRate)) {
          CHECK(note.start_frame >= bar.start_frame);
          CHECK(note.start_frame < bar.start_frame + bar.frames);
          CHECK(note.gate_frames > 0);
          // 8 s is the longest swell, and a pad's bar with its release comes before that.
          CHECK(note.start_frame + note.gate_frames <=
                bar.start_frame + bar.frames + std::int64_t{8} * kRate);
        }
      }
    }
  }
}

TEST_CASE("pads hold the bar's chord for the bar, in every preset") {
  for (const auto& preset : kPresets) {
    for (int index = 0; index < 50; ++index) {
      const BarRecord bar = bar_at(index, preset.parameters);
      const Chord chord = chord_of(kSeed, index, preset.parameters);
      std::size_t pads = 0;
      for (const Note& note : compose_bar(kSeed, bar, kRate)) {
        if (note.group != VoiceGroup::kPads) continue;
        ++pads;
        CHECK(contains(chord.classes, note.pitch));
        CHECK(note.gate_frames == bar.frames);
      }
      CHECK(pads == chord.pitch_count);
    }
  }
}

TEST_CASE("the melody takes chord, scale and other tones in their shares") {
  for (const float complexity : {0.0F, 1.0F}) {
    MusicParameters parameters;
    parameters.melody_complexity = complexity;
    double chord_tones = 0;
    double scale_tones = 0;
    double count = 0;
    for (int index = 0; index < 4'000; ++index) {
      const Chord chord = chord_of(kSeed, index, parameters);
      for (const Note& note : compose_bar(kSeed, bar_at(index, parameters), kRate)) {
        if (note.group != VoiceGroup::kMelody) continue;
        ++count;
        if (contains(chord.classes, note.pitch)) {
          ++chord_tones;
        } else if (contains(scale_of(parameters), note.pitch)) {
          ++scale_tones;
        }
      }
    }
    REQUIRE(count > 3'000);
    // 3 sigma of 3,000 draws is under 0.03.
    CHECK(std::abs(chord_tones / count - (complexity == 0 ? 0.70 : 0.40)) < 0.03);
    CHECK(std::abs(scale_tones / count - (complexity == 0 ? 0.25 : 0.40)) < 0.03);
  }
}

TEST_CASE("melody notes are long when calm and short when intense") {
  MusicParameters parameters;
  parameters.intensity = 0;
  for (const Note& note : notes_of(VoiceGroup::kMelody, 500, parameters)) {
    CHECK(note.gate_frames >= 2 * kRate);
    CHECK(note.gate_frames <= 5 * kRate);
  }
  parameters.intensity = 1;
  for (const Note& note : notes_of(VoiceGroup::kMelody, 500, parameters)) {
    CHECK(note.gate_frames >= kRate / 2);
    CHECK(note.gate_frames <= 2 * kRate);
  }
}

TEST_CASE("the melody leaps little, rests now and then, and stays in a singing range") {
  MusicParameters parameters;
  parameters.intensity = 1;
  parameters.melody_complexity = 1;
  int resting_bars = 0;
  for (int index = 0; index < 1'000; ++index) {
    int last = 0;
    for (const Note& note : compose_bar(kSeed, bar_at(index, parameters), kRate)) {
      if (note.group != VoiceGroup::kMelody) continue;
      CHECK(note.pitch >= 55);
      CHECK(note.pitch <= 91);
      if (last != 0) CHECK(std::abs(note.pitch - last) <= kLargestLeap);
      last = note.pitch;
    }
    if (last == 0) ++resting_bars;
  }
  CHECK(resting_bars > 10);
  CHECK(resting_bars < 200);
}

TEST_CASE("kicks come every 4 to 8 bars from intensity 0.3 up, and never below") {
  MusicParameters parameters;
  parameters.intensity = 0.29F;
  CHECK(notes_of(VoiceGroup::kKicks, 500, parameters).empty());
  parameters.intensity = 0.3F;
  const auto kicks = notes_of(VoiceGroup::kKicks, 500, parameters);
  REQUIRE(kicks.size() > 500 / 8);
  const std::int64_t bar = bar_frames(parameters.bpm, kRate);
  for (std::size_t i = 1; i < kicks.size(); ++i) {
    const std::int64_t apart = (kicks[i].start_frame - kicks[i - 1].start_frame) / bar;
    CHECK(apart >= 4);
    CHECK(apart <= 8);
  }
}

TEST_CASE("swells are sparse and last 3 to 8 s") {
  const auto swells = notes_of(VoiceGroup::kSwells, 1'000, MusicParameters{});
  CHECK(swells.size() > 100);
  CHECK(swells.size() < 200);
  for (const Note& swell : swells) {
    CHECK(swell.gate_frames >= 3 * kRate);
    CHECK(swell.gate_frames <= 8 * kRate);
  }
}
