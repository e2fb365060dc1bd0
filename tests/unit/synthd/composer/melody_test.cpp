// SPDX-License-Identifier: MIT
#include "synthd/composer/melody.h"

#include "synthd/composer/composer.h"
#include "synthd/composer/harmony.h"
#include "tests/unit/synthd/composer/support.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>

namespace auralis::melody_test {
namespace {

using namespace test;

TEST_CASE("the melody has chord, scale and chromatic tones in their shares, however dense the chords") {
  for (const float complexity : {0.0F, 0.5F, 1.0F}) {
    for (const float density : {0.0F, 0.5F, 1.0F}) {
      CAPTURE(complexity);
      CAPTURE(density);
      MusicParameters parameters;
      parameters.melody_complexity = complexity;
      parameters.harmonic_density = density;
      double chord_tones = 0;
      double scale_tones = 0;
      double others = 0;
      for (int index = 0; index < 5'000; ++index) {
        const Chord chord = chord_of(kSeed, index, parameters);
        if (chord.suspension != 0) continue;  // the sounding chord differs before the middle of the bar
        for (const Note& note : compose_bar(kSeed, bar_at(index, parameters), kSampleRate)) {
          if (note.group != VoiceGroup::kMelody) continue;
          const bool of_scale = contains(scale_of(parameters), note.pitch);
          ++(contains(chord.classes, note.pitch) ? chord_tones : of_scale ? scale_tones : others);
        }
      }
      const double count = chord_tones + scale_tones + others;
      REQUIRE(count > 2'000);
      // 3 sigma of 2,000 draws is at most 0.034.
      CHECK(std::abs(chord_tones / count - (0.70 - 0.30 * complexity)) < 0.035);
      CHECK(std::abs(scale_tones / count - (0.25 + 0.15 * complexity)) < 0.035);
      CHECK(std::abs(others / count - (0.05 + 0.15 * complexity)) < 0.025);
    }
  }
}

TEST_CASE("melody notes are long when calm and short when intense") {
  MusicParameters parameters;
  parameters.intensity = 0;
  for (const Note& note : notes_of(VoiceGroup::kMelody, 500, parameters)) {
    CHECK(note.gate_frames >= 2 * kSampleRate);
    CHECK(note.gate_frames <= 5 * kSampleRate);
  }
  parameters.intensity = 1;
  for (const Note& note : notes_of(VoiceGroup::kMelody, 500, parameters)) {
    CHECK(note.gate_frames >= kSampleRate / 2);
    CHECK(note.gate_frames <= 2 * kSampleRate);
  }
}

TEST_CASE("the melody has small leaps and stays in a vocal range") {
  MusicParameters parameters;
  parameters.intensity = 1;
  parameters.melody_complexity = 1;
  int before = 0;
  int leaps_over_an_octave = 0;
  int notes = 0;
  for (int index = 0; index < 2'000; ++index) {
    int last = 0;
    for (const Note& note : compose_bar(kSeed, bar_at(index, parameters), kSampleRate)) {
      if (note.group != VoiceGroup::kMelody) continue;
      ++notes;
      CHECK(note.pitch >= 55);
      CHECK(note.pitch <= 91);
      if (last != 0) CHECK(std::abs(note.pitch - last) <= kLargestLeap);
      if (before != 0 && std::abs(note.pitch - before) > 12) ++leaps_over_an_octave;
      before = last = note.pitch;
    }
  }
  REQUIRE(notes > 2'000);
  CHECK(leaps_over_an_octave < notes / 100);
}

TEST_CASE("phrases breathe: no note starts in the last two beats, and some bars are rests") {
  for (const float intensity : {0.0F, 1.0F}) {
    MusicParameters parameters;
    parameters.intensity = intensity;
    int resting = 0;
    for (int index = 0; index < 1'000; ++index) {
      const BarRecord bar = bar_at(index, parameters);
      int notes = 0;
      for (const Note& note : compose_bar(kSeed, bar, kSampleRate)) {
        if (note.group != VoiceGroup::kMelody) continue;
        ++notes;
        if (index % kPhraseBars == kPhraseBars - 1)
          CHECK(note.start_frame < bar.start_frame + bar.frames * 4 / 8);
      }
      if (notes == 0) ++resting;
    }
    CHECK(resting > 100);
    CHECK(resting < 600);
  }
}

}  // namespace
}  // namespace auralis::melody_test
