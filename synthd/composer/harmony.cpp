// SPDX-License-Identifier: MIT
#include "synthd/composer/harmony.h"

#include <cstdlib>

#include "synthd/composer/arc.h"
#include "synthd/composer/random_stream.h"

namespace auralis {
namespace {

struct ModeTable {
  std::array<std::uint8_t, 7> steps;  // semitones above the root
  std::array<std::uint8_t, kChordStates>
      degrees;  // scale degree of each chord state, 0 = tonic; none is diminished
};

// In the order of Mode.
constexpr std::array<ModeTable, 6> kModes{{
    {{0, 2, 3, 5, 7, 8, 10}, {0, 3, 4, 5, 2}},  // aeolian: i iv v VI III
    {{0, 2, 3, 5, 7, 9, 10}, {0, 3, 4, 6, 2}},  // dorian: i IV v VII III
    {{0, 1, 3, 5, 7, 8, 10}, {0, 3, 1, 5, 2}},  // phrygian: i iv II VI III
    {{0, 2, 4, 6, 7, 9, 11}, {0, 1, 4, 5, 2}},  // lydian: I II V vi iii
    {{0, 2, 4, 5, 7, 9, 11}, {0, 3, 4, 5, 2}},  // ionian: I IV V vi iii
    {{0, 2, 4, 5, 7, 9, 10}, {0, 3, 4, 6, 5}},  // mixolydian: I IV v VII vi
}};

// Chances in percent at variety 0, by the states' parts in the mode: tonic, subdominant, dominant, relief,
// mediant. No zero: so the chains of chord_state always meet, after five steps in the mean.
constexpr std::array<std::array<std::uint32_t, kChordStates>, kChordStates> kBaseMatrix{{
    {16, 30, 16, 24, 14},
    {32, 10, 24, 18, 16},
    {44, 14, 8, 24, 10},
    {20, 30, 18, 10, 22},
    {18, 30, 12, 30, 10},
}};
constexpr std::uint32_t kEvenChance = 100 / kChordStates;

constexpr int kBassLow = 33;     // A1: the bass lies in the octave from here
constexpr int kPadLow = 52;      // E3: likewise the pads where they begin and the arc is level ...
constexpr int kVoicesLow = 45;   // ... and how far they may be led from there: A2, above the bass ...
constexpr int kVoicesHigh = 72;  // ... to C5

const ModeTable& table_of(Mode mode) { return kModes.at(static_cast<std::size_t>(mode)); }

// The random number of a bar, for its step of the chain.
std::uint32_t chord_draw(std::uint64_t seed, std::int64_t bar) {
  return RandomStream(seed, Purpose::kChord, bar).below(kTransitionScale);
}

std::size_t step(const TransitionMatrix& matrix, std::size_t from, std::uint32_t draw) {
  std::size_t to = 0;
  while (draw >= matrix[from][to]) draw -= matrix[from][to++];
  return to;
}

// How dense the chords of a bar are, in 256ths: the control, and around it what the arc adds or takes,
// nothing at either end.
std::uint32_t density_of(const MusicParameters& parameters, const Arc& arc) {
  const auto density = static_cast<int>(in_256ths(parameters.harmonic_density));
  return static_cast<std::uint32_t>(density +
                                    arc.fullness * density * (256 - density) / (256 * kArcFullness));
}

// The pitch of class `pitch_class` in the octave that begins at `low`.
int place(int pitch_class, int low) { return low + (pitch_class - low % 12 + 12) % 12; }

// Pitches of a triad: root, third, fifth.
using Triad = std::array<int, 3>;

Triad triad_classes(const MusicParameters& parameters, std::size_t degree) {
  const auto& steps = table_of(parameters.mode).steps;
  Triad classes{};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    classes.at(i) = (parameters.key + steps.at((degree + 2 * i) % steps.size())) % 12;
  }
  return classes;
}

// The pitch of a class that is nearest to `pitch`.
int near(int pitch_class, int pitch) {
  const int up = (pitch_class - pitch % 12 + 12) % 12;
  return up <= 6 ? pitch + up : pitch + up - 12;
}

// The triad of those classes to which the voices of `from` move by the least in all, and no voice out of
// range.
Triad led(const Triad& from, const Triad& classes) {
  constexpr std::array<std::array<std::size_t, 3>, 6> kPairings{
      {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  constexpr int kOutOfRange = 100;
  Triad best{};
  int least = 4 * kOutOfRange;
  for (const auto& pairing : kPairings) {
    Triad to{};
    int moved = 0;
    for (std::size_t i = 0; i < to.size(); ++i) {
      const int voice = from.at(pairing.at(i));
      to.at(i) = near(classes.at(i), voice);
      moved += std::abs(to.at(i) - voice);
      if (to.at(i) < kVoicesLow || to.at(i) > kVoicesHigh) moved += kOutOfRange;
    }
    if (moved >= least) continue;
    least = moved;
    best = to;
  }
  return best;
}

struct VoicedTriad {
  std::size_t degree = 0;
  Triad pitches{};
};

VoicedTriad voiced_triad(std::uint64_t seed, std::int64_t bar, const MusicParameters& parameters) {
  const auto& degrees = table_of(parameters.mode).degrees;
  const TransitionMatrix matrix = chord_transitions(parameters.chord_progression_variety);
  const std::int64_t first = bar - bar % kLedBars;
  std::size_t state = chord_state(seed, first, parameters.chord_progression_variety);
  VoicedTriad triad;
  triad.pitches = triad_classes(parameters, degrees.at(state));
  for (int& pitch : triad.pitches) pitch = place(pitch, kPadLow + arc_at(seed, first).height);
  for (std::int64_t b = first + 1; b <= bar; ++b) {
    state = step(matrix, state, chord_draw(seed, b));
    triad.pitches = led(triad.pitches, triad_classes(parameters, degrees.at(state)));
  }
  triad.degree = degrees.at(state);
  return triad;
}

// Semitones over the root that suspend its third: a fourth, else a second, of the scale and neither narrow
// nor wide; 0 where there is none.
int suspension_of(PitchClasses scale, int root) {
  for (const int semitones : {5, 2}) {
    if (contains(scale, root + semitones)) return semitones;
  }
  return 0;
}

}  // namespace

PitchClasses scale_of(const MusicParameters& parameters) {
  unsigned classes = 0;
  for (const unsigned step : table_of(parameters.mode).steps) classes |= 1U << (parameters.key + step) % 12;
  return static_cast<PitchClasses>(classes);
}

TransitionMatrix chord_transitions(float variety) {
  const std::uint32_t even = in_256ths(variety);
  TransitionMatrix matrix{};
  for (std::size_t from = 0; from < kChordStates; ++from) {
    for (std::size_t to = 0; to < kChordStates; ++to) {
      matrix[from][to] = kBaseMatrix[from][to] * (256 - even) + kEvenChance * even;
    }
  }
  return matrix;
}

std::size_t chord_state(std::uint64_t seed, std::int64_t bar, float variety) {
  constexpr std::int64_t kLongest = 1'024;  // never reached in practice: the tonic then
  const TransitionMatrix matrix = chord_transitions(variety);
  for (std::int64_t length = 8; length <= kLongest; length *= 2) {
    std::array<std::size_t, kChordStates> states{0, 1, 2, 3, 4};
    bool met = false;
    for (std::int64_t b = bar - length + 1; b <= bar; ++b) {
      const std::uint32_t draw = chord_draw(seed, b);
      met = true;
      for (auto& state : states) {
        state = step(matrix, state, draw);
        met = met && state == states[0];
      }
    }
    if (met) return states[0];
  }
  return 0;
}

Chord chord_of(std::uint64_t seed, std::int64_t bar, const MusicParameters& parameters) {
  const ModeTable& mode = table_of(parameters.mode);
  const Arc arc = arc_at(seed, bar);
  const std::uint32_t density = density_of(parameters, arc);
  RandomStream random(seed, Purpose::kVoicing, bar);
  const bool seventh = random.below(256) < density;
  const bool ninth = random.below(256) < density * density / 256;
  const bool doubling = random.below(256) < density;
  const bool suspended = random.below(512) < density;

  const auto [degree, triad] = voiced_triad(seed, bar, parameters);
  const auto [root, third, fifth] = triad;
  Chord chord;
  chord.degree = static_cast<std::uint8_t>(degree);
  const auto add = [&](int pitch) {
    chord.classes = static_cast<PitchClasses>(chord.classes | 1U << pitch % 12);
    chord.pitches.at(chord.pitch_count++) = static_cast<std::uint8_t>(pitch);
  };
  const auto above = [&](std::size_t thirds, int low) {
    return place((parameters.key + mode.steps.at((degree + 2 * thirds) % mode.steps.size())) % 12, low);
  };
  add(place(root % 12, kBassLow));
  for (const int pitch : triad) add(pitch);
  if (seventh) add(above(3, kPadLow + arc.height));
  if (ninth) add(above(4, kPadLow + arc.height + 12));
  if (doubling) add(fifth + 12);
  const int over_root = suspension_of(scale_of(parameters), root);
  if (suspended && over_root > 0) {
    chord.suspension = static_cast<std::uint8_t>(third + over_root - (third - root + 24) % 12);
  }
  return chord;
}

}  // namespace auralis
