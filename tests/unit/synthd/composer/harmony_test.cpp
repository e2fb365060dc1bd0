// SPDX-License-Identifier: MIT
#include "synthd/composer/harmony.h"

#include "synthd/composer/arc.h"
#include "synthd/composer/random_stream.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

namespace auralis::harmony_test {
namespace {

MusicParameters dense(Mode mode) {
  MusicParameters parameters;
  parameters.key = 9;
  parameters.mode = mode;
  parameters.harmonic_density = 1;
  return parameters;
}

// Chi-square statistic: the sum over all changes of (observed - expected)^2 / expected, for a matrix without
// zeros.
double chi_squared(std::uint64_t seed, int bars, Mode mode, float variety) {
  std::array<std::array<double, kChordStates>, kChordStates> seen{};
  std::array<double, kChordStates> from{};
  std::size_t last = chord_state(seed, 0, mode, variety);
  for (int bar = 1; bar <= bars; ++bar) {
    const std::size_t state = chord_state(seed, bar, mode, variety);
    ++seen.at(last).at(state);
    ++from.at(last);
    last = state;
  }
  const TransitionMatrix matrix = chord_transitions(mode, variety);
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

TEST_CASE("the scale of a mode has the mode's seven tones") {
  MusicParameters parameters;
  parameters.key = 2;
  parameters.mode = Mode::kDorian;  // D dorian: the white keys
  CHECK(scale_of(parameters) == 0b1010'1011'0101);
  parameters.key = 0;
  parameters.mode = Mode::kAeolian;  // C D Eb F G Ab Bb
  CHECK(scale_of(parameters) == 0b0101'1010'1101);
}

TEST_CASE("each mode has its own transition matrix, whose rows sum to one; full variety makes them uniform") {
  std::vector<TransitionMatrix> matrices;
  for (std::size_t mode = 0; mode < kModeNames.size(); ++mode) {
    for (const float variety : {0.0F, 0.3F, 1.0F}) {
      for (const auto& row : chord_transitions(static_cast<Mode>(mode), variety)) {
        CHECK(std::accumulate(row.begin(), row.end(), std::uint32_t{0}) == kTransitionScale);
        if (variety == 1) CHECK(std::count(row.begin(), row.end(), kTransitionScale / kChordStates) == 5);
      }
    }
    const TransitionMatrix own = chord_transitions(static_cast<Mode>(mode), 0);
    CHECK(std::find(matrices.begin(), matrices.end(), own) == matrices.end());
    matrices.push_back(own);
  }
}

// Fewer with sanitizers, which slow it down: the limit holds for any number.
#ifdef AURALIS_SANITIZED
constexpr int kBarsCounted = 10'000;
#else
constexpr int kBarsCounted = 100'000;
#endif

TEST_CASE("chords change as often as the mode's matrix says, over many bars") {
  // 5 rows of 4 degrees of freedom each: chance exceeds 45.3 once in a thousand.
  constexpr double kLimit = 45.3;
  for (std::size_t mode = 0; mode < kModeNames.size(); ++mode) {
    CAPTURE(std::string(kModeNames[mode]));
    CHECK(chi_squared(11 + mode, kBarsCounted, static_cast<Mode>(mode), 0) < kLimit);
  }
  CHECK(chi_squared(12, kBarsCounted, Mode::kAeolian, 0.4F) < kLimit);
  CHECK(chi_squared(13, kBarsCounted, Mode::kAeolian, 1) < kLimit);
}

TEST_CASE("the chords are one chain: each follows from the one before and its own bar's random number") {
  const TransitionMatrix matrix = chord_transitions(Mode::kDorian, 0);
  std::size_t state = chord_state(17, 0, Mode::kDorian, 0);
  for (int bar = 1; bar <= 20'000; ++bar) {
    std::uint32_t draw = RandomStream(17, Purpose::kChord, bar).below(kTransitionScale);
    std::size_t to = 0;
    while (draw >= matrix.at(state).at(to)) draw -= matrix.at(state).at(to++);
    state = chord_state(17, bar, Mode::kDorian, 0);
    REQUIRE(state == to);
  }
}

TEST_CASE("the chord of a bar does not depend on which bars were asked for before") {
  const std::size_t far = chord_state(5, 1'000'000, Mode::kLydian, 0.3F);
  for (int bar = 999'900; bar < 1'000'000; ++bar) chord_state(5, bar, Mode::kLydian, 0.3F);
  CHECK(chord_state(5, 1'000'000, Mode::kLydian, 0.3F) == far);
}

TEST_CASE("chords are diatonic in every mode, however dense, and none is diminished") {
  for (std::size_t mode = 0; mode < kModeNames.size(); ++mode) {
    const MusicParameters parameters = dense(static_cast<Mode>(mode));
    const PitchClasses scale = scale_of(parameters);
    for (int bar = 0; bar < 200; ++bar) {
      const Chord chord = chord_of(1, bar, parameters);
      CHECK((chord.classes & ~unsigned{scale}) == 0U);
      REQUIRE(chord.pitch_count >= 6);  // every added tone except a minor ninth
      for (std::size_t i = 0; i < chord.pitch_count; ++i) CHECK(contains(chord.classes, chord.pitches.at(i)));
      CHECK(contains(chord.classes, chord.pitches[0] + 7));  // a perfect fifth over the root
    }
  }
}

TEST_CASE("harmonic density adds tones: none beyond the triad at 0, all at 1") {
  MusicParameters parameters;
  parameters.harmonic_density = 0;
  for (int bar = 0; bar < 50; ++bar) CHECK(chord_of(1, bar, parameters).pitch_count == 4);  // with the bass
  parameters.harmonic_density = 1;
  int ninths = 0;
  for (int bar = 0; bar < 50; ++bar) {
    const Chord chord = chord_of(1, bar, parameters);
    CHECK(chord.pitch_count >= 6);
    if (chord.pitch_count == Chord::kMaxPitches) ++ninths;
    CHECK_FALSE(contains(chord.classes, chord.pitches[1] + 1));  // no minor ninth
  }
  CHECK(ninths > 10);
}

TEST_CASE("suspensions come with density, a fourth or a second over the root, and never at 0") {
  MusicParameters parameters;
  parameters.harmonic_density = 0;
  for (int bar = 0; bar < 200; ++bar) CHECK(chord_of(1, bar, parameters).suspension == 0);
  parameters.harmonic_density = 1;
  for (std::size_t mode = 0; mode < kModeNames.size(); ++mode) {
    parameters.mode = static_cast<Mode>(mode);
    int suspensions = 0;
    for (int bar = 0; bar < 400; ++bar) {
      const Chord chord = chord_of(1, bar, parameters);
      if (chord.suspension == 0) continue;
      ++suspensions;
      CHECK(contains(scale_of(parameters), chord.suspension));
      const int over_root = (chord.suspension - chord.pitches[1] + 24) % 12;
      CHECK((over_root == 5 || over_root == 2));
    }
    // Expected in half of the bars; 5 sigma are 50.
    CHECK(suspensions > 150);
    CHECK(suspensions < 250);
  }
}

TEST_CASE("voice leading: from chord to chord the voices move little more than necessary") {
  // Semitones that the three upper voices move in the best pairing; with `any_octave`, as if each tone of the
  // second chord could be in any octave.
  const auto pairing = [](const Chord& a, const Chord& b, bool any_octave) {
    std::array<std::size_t, 3> order{1, 2, 3};
    int best = 100;
    do {
      int sum = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        int move = std::abs(b.pitches.at(order.at(i)) - a.pitches.at(i + 1));
        if (any_octave) move = std::min(move % 12, 12 - move % 12);
        sum += move;
      }
      best = std::min(best, sum);
    } while (std::next_permutation(order.begin(), order.end()));
    return best;
  };
  int moved_anew = 0;  // where a new run of voice leading starts
  int changes = 0;
  int kept_in_range = 0;
  for (int bar = 0; bar < 4'000; ++bar) {
    MusicParameters parameters;
    parameters.harmonic_density = 0;
    parameters.mode = static_cast<Mode>(bar / kLedBars % static_cast<int>(kModeNames.size()));
    const Chord a = chord_of(3, bar, parameters);
    const Chord b = chord_of(3, bar + 1, parameters);
    const int moved = pairing(a, b, false);
    if ((bar + 1) % kLedBars != 0) {
      if (moved != pairing(a, b, true)) ++kept_in_range;
      continue;
    }
    moved_anew += moved;
    ++changes;
  }
  CHECK(kept_in_range < 40);
  CHECK(moved_anew < 3 * 4 * changes);  // on average less than a major third per voice
}

TEST_CASE(
    "a voice that keeps its pitch keeps its pan position, and the bass moves by a tritone at most, except to "
    "stay in range") {
  MusicParameters parameters;
  int kept = 0;
  int far = 0;
  constexpr int kBars = 2'000;
  for (int bar = 0; bar < kBars; ++bar) {
    if ((bar + 1) % kLedBars == 0) continue;
    const Chord a = chord_of(5, bar, parameters);
    const Chord b = chord_of(5, bar + 1, parameters);
    if (std::abs(a.pitches[0] - b.pitches[0]) > 6) ++far;
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        if (a.pitches.at(i + 1) != b.pitches.at(j + 1)) continue;
        ++kept;
        CHECK(a.voices.at(i) == b.voices.at(j));
      }
    }
  }
  CHECK(kept > kBars / 2);
  CHECK(far < kBars * 3 / 20);
}

TEST_CASE("voices stay in range in every key and mode") {
  for (int key = 0; key < 12; ++key) {
    for (std::size_t mode = 0; mode < kModeNames.size(); ++mode) {
      MusicParameters parameters = dense(static_cast<Mode>(mode));
      parameters.key = static_cast<std::uint8_t>(key);
      for (int bar = 0; bar < 200; ++bar) {
        const Chord chord = chord_of(4, bar, parameters);
        CHECK(chord.pitches[0] >= 31);
        CHECK(chord.pitches[0] < 45);
        for (std::size_t i = 1; i < chord.pitch_count; ++i) {
          CHECK(chord.pitches.at(i) >= 45);
          CHECK(chord.pitches.at(i) <= 84);
        }
      }
    }
  }
}

}  // namespace auralis::harmony_test
