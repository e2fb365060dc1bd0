// SPDX-License-Identifier: MIT
#include "synthd/composer/harmony.h"

#include "synthd/composer/random_stream.h"

#include <doctest/doctest.h>

#include <array>

using namespace auralis;

namespace {

MusicParameters dense(Mode mode) {
  MusicParameters parameters;
  parameters.key = 9;
  parameters.mode = mode;
  parameters.harmonic_density = 1;
  return parameters;
}

// Sum over all changes of (seen - expected)^2 / expected, for a matrix without zeros.
double chi_squared(std::uint64_t seed, int bars, float variety) {
  std::array<std::array<double, kChordStates>, kChordStates> seen{};
  std::array<double, kChordStates> from{};
  std::size_t last = chord_state(seed, 0, variety);
  for (int bar = 1; bar <= bars; ++bar) {
    const std::size_t state = chord_state(seed, bar, variety);
    ++seen.at(last).at(state);
    ++from.at(last);
    last = state;
  }
  const TransitionMatrix matrix = chord_transitions(variety);
  double sum = 0;
  for (std::size_t i = 0; i < kChordStates; ++i) {
    for (std::size_t j = 0; j < kChordStates; ++j) {
      const double expected = from[i] * matrix[i][j] / kTransitionScale;
      sum += (seen[i][j] - expected) * (seen[i][j] - expected) / expected;
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("a mode's scale has its seven tones") {
  MusicParameters parameters;
  parameters.key = 2;
  parameters.mode = Mode::kDorian;  // D dorian: the white keys
  CHECK(scale_of(parameters) == 0b1010'1011'0101);
  parameters.key = 0;
  parameters.mode = Mode::kAeolian;  // C D Eb F G Ab Bb
  CHECK(scale_of(parameters) == 0b0101'1010'1101);
}

TEST_CASE("each row of chord chances sums to one, and full variety makes it even") {
  for (const float variety : {0.0F, 0.3F, 1.0F}) {
    for (const auto& row : chord_transitions(variety)) {
      std::uint32_t sum = 0;
      for (const std::uint32_t chance : row) sum += chance;
      CHECK(sum == kTransitionScale);
    }
  }
  for (const auto& row : chord_transitions(1)) {
    for (const std::uint32_t chance : row) CHECK(chance == kTransitionScale / kChordStates);
  }
}

TEST_CASE("chords change as often as the matrix says, over 20,000 bars") {
  // 5 rows of 4 degrees of freedom each: 45.3 is passed by chance once in a thousand.
  constexpr double kLimit = 45.3;
  CHECK(chi_squared(11, 20'000, 0) < kLimit);
  CHECK(chi_squared(12, 20'000, 0.4F) < kLimit);
  CHECK(chi_squared(13, 20'000, 1) < kLimit);
}

TEST_CASE("the chords are one chain: each follows from the one before it and its own bar's number") {
  const TransitionMatrix matrix = chord_transitions(0);
  std::size_t state = chord_state(17, 0, 0);
  for (int bar = 1; bar <= 20'000; ++bar) {
    std::uint32_t draw = RandomStream(17, Purpose::kChord, bar).below(kTransitionScale);
    std::size_t to = 0;
    while (draw >= matrix.at(state).at(to)) draw -= matrix.at(state).at(to++);
    state = chord_state(17, bar, 0);
    REQUIRE(state == to);
  }
}

TEST_CASE("the chord of a bar depends on no other bar having been asked for") {
  const std::size_t far = chord_state(5, 1'000'000, 0.3F);
  for (int bar = 999'900; bar < 1'000'000; ++bar) chord_state(5, bar, 0.3F);
  CHECK(chord_state(5, 1'000'000, 0.3F) == far);
}

TEST_CASE("chords keep to the scale of every mode, however dense, and none is diminished") {
  for (std::size_t mode = 0; mode < kModeNames.size(); ++mode) {
    const MusicParameters parameters = dense(static_cast<Mode>(mode));
    const PitchClasses scale = scale_of(parameters);
    for (int bar = 0; bar < 200; ++bar) {
      const Chord chord = chord_of(1, bar, parameters);
      CHECK((chord.classes & ~unsigned{scale}) == 0U);
      REQUIRE(chord.pitch_count == Chord::kMaxPitches);
      for (std::size_t i = 0; i < chord.pitch_count; ++i) CHECK(contains(chord.classes, chord.pitches.at(i)));
      CHECK(contains(chord.classes, chord.pitches[0] + 7));  // a pure fifth over the root
    }
  }
}

TEST_CASE("harmonic density adds tones: none beyond the triad at 0, all at 1") {
  MusicParameters parameters;
  parameters.harmonic_density = 0;
  for (int bar = 0; bar < 50; ++bar) CHECK(chord_of(1, bar, parameters).pitch_count == 4);  // with the bass
  parameters.harmonic_density = 1;
  for (int bar = 0; bar < 50; ++bar) CHECK(chord_of(1, bar, parameters).pitch_count == Chord::kMaxPitches);
}

TEST_CASE("a tone that two chords share stays at its pitch") {
  MusicParameters parameters;
  parameters.harmonic_density = 0;
  for (int bar = 0; bar < 200; ++bar) {
    const Chord a = chord_of(2, bar, parameters);
    const Chord b = chord_of(2, bar + 1, parameters);
    for (std::size_t i = 1; i < a.pitch_count; ++i) {
      for (std::size_t j = 1; j < b.pitch_count; ++j) {
        if (a.pitches.at(i) % 12 == b.pitches.at(j) % 12) CHECK(a.pitches.at(i) == b.pitches.at(j));
      }
    }
  }
}
