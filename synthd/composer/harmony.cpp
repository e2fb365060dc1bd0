// SPDX-License-Identifier: MIT
#include "synthd/composer/harmony.h"

#include <cassert>
#include <cstdlib>

#include "synthd/composer/arc.h"
#include "synthd/composer/random_stream.h"

namespace auralis {
namespace {

using Percents = std::array<std::array<std::uint32_t, kChordStates>, kChordStates>;

struct ModeTable {
  std::array<std::uint8_t, 7> steps;  // semitones above the root
  std::array<std::uint8_t, kChordStates>
      degrees;  // scale degree of each chord state, 0 = tonic; none is diminished
  // Transition probabilities in percent at variety 0, from row to column. None is zero, so that the coupled
  // chains of chord_state() always coalesce, after two steps on average. Each mode favours its characteristic
  // chord: dorian IV, phrygian and lydian II, mixolydian VII and IV.
  Percents chances;
};

// In the order of Mode.
constexpr std::array<ModeTable, 6> kModes{{
    // aeolian: i iv v VI III
    {{0, 2, 3, 5, 7, 8, 10},
     {0, 3, 4, 5, 2},
     {{{16, 30, 16, 24, 14},
       {32, 10, 24, 18, 16},
       {44, 14, 8, 24, 10},
       {20, 30, 18, 10, 22},
       {18, 30, 12, 30, 10}}}},
    // dorian: i IV v VII III
    {{0, 2, 3, 5, 7, 9, 10},
     {0, 3, 4, 6, 2},
     {{{18, 36, 12, 22, 12},
       {40, 10, 12, 24, 14},
       {36, 22, 8, 22, 12},
       {34, 24, 12, 10, 20},
       {18, 32, 14, 26, 10}}}},
    // phrygian: i iv II VI III
    {{0, 1, 3, 5, 7, 8, 10},
     {0, 3, 1, 5, 2},
     {{{18, 20, 32, 18, 12},
       {30, 10, 28, 18, 14},
       {48, 12, 8, 18, 14},
       {22, 22, 26, 10, 20},
       {20, 20, 20, 30, 10}}}},
    // lydian: I II V vi iii
    {{0, 2, 4, 6, 7, 9, 11},
     {0, 1, 4, 5, 2},
     {{{18, 36, 14, 20, 12},
       {38, 10, 22, 18, 12},
       {34, 22, 8, 24, 12},
       {18, 34, 16, 10, 22},
       {20, 24, 12, 34, 10}}}},
    // ionian: I IV V vi iii
    {{0, 2, 4, 5, 7, 9, 11},
     {0, 3, 4, 5, 2},
     {{{14, 28, 22, 24, 12},
       {32, 10, 28, 16, 14},
       {38, 16, 8, 26, 12},
       {16, 36, 20, 10, 18},
       {14, 34, 12, 30, 10}}}},
    // mixolydian: I IV v VII vi
    {{0, 2, 4, 5, 7, 9, 10},
     {0, 3, 4, 6, 5},
     {{{16, 28, 12, 30, 14},
       {42, 10, 12, 20, 16},
       {28, 26, 8, 26, 12},
       {30, 36, 10, 10, 14},
       {18, 32, 16, 24, 10}}}},
}};

constexpr std::uint32_t kEvenChance = 100 / kChordStates;

// Ranges as MIDI notes. Voice leading starts in an octave and may move within the limits.
constexpr int kBassLow = 33;      // A1: lowest note of the octave in which the bass starts
constexpr int kBassLowest = 31;   // G1
constexpr int kBassHighest = 44;  // G#2, below the upper voices
constexpr int kPadLow = 52;       // E3: lowest note of the octave in which the pads start, at arc height 0
constexpr int kVoicesLow = 45;    // A2, above the bass
constexpr int kVoicesHigh = 72;   // C5

const ModeTable& table_of(Mode mode) { return kModes.at(static_cast<std::size_t>(mode)); }

// Random number that decides the chain's step into `bar`.
std::uint32_t chord_draw(std::uint64_t seed, std::int64_t bar) {
  return RandomStream(seed, Purpose::kChord, bar).below(kTransitionScale);
}

std::size_t step(const TransitionMatrix& matrix, std::size_t from, std::uint32_t draw) {
  std::size_t to = 0;
  while (draw >= matrix[from][to]) {
    draw -= matrix[from][to++];
    assert(to < kChordStates && "a row of the matrix sums to kTransitionScale");
  }
  return to;
}

// Chord density of a bar, in 256ths: the control, offset by the arc. The offset vanishes at both ends of the
// control's range.
std::uint32_t density_of(const MusicParameters& parameters, const Arc& arc) {
  const auto density = static_cast<int>(in_256ths(parameters.harmonic_density));
  return static_cast<std::uint32_t>(density +
                                    arc.fullness * density * (256 - density) / (256 * kArcFullness));
}

// Pitch of class `pitch_class` in the octave that starts at `low`.
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

// Pitch of class `pitch_class` nearest to `pitch`.
int near(int pitch_class, int pitch) {
  const int above = place(pitch_class, pitch);
  return above - pitch <= 6 ? above : above - 12;
}

struct Voicing {
  std::size_t degree = 0;
  int bass = 0;
  Triad pitches{};
  std::array<std::uint8_t, 3> voices{0, 1, 2};  // as in Chord
};

// Voice leading: moves `from` to the triad of `classes` with the smallest total motion in semitones, keeping
// the voices in range.
void lead(Voicing& from, const Triad& classes) {
  constexpr std::array<std::array<std::size_t, 3>, 6> kPairings{
      {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  constexpr int kOutOfRange = 100;
  Voicing best = from;
  int least = 4 * kOutOfRange;
  for (const auto& pairing : kPairings) {
    Voicing to = from;
    int moved = 0;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const int voice = from.pitches.at(pairing.at(i));
      const int pitch = near(classes.at(i), voice);
      to.pitches.at(i) = pitch;
      to.voices.at(i) = from.voices.at(pairing.at(i));
      moved += std::abs(pitch - voice);
      if (pitch < kVoicesLow || pitch > kVoicesHigh) moved += kOutOfRange;
    }
    if (moved >= least) continue;
    least = moved;
    best = to;
  }
  best.bass = near(classes.front(), from.bass);
  if (best.bass > kBassHighest) best.bass -= 12;
  if (best.bass < kBassLowest) best.bass += 12;
  from = best;
}

Voicing voicing_of(std::uint64_t seed, std::int64_t bar, const MusicParameters& parameters) {
  const auto& degrees = table_of(parameters.mode).degrees;
  const TransitionMatrix matrix = chord_transitions(parameters.mode, parameters.chord_progression_variety);
  const std::int64_t first = bar - bar % kLedBars;
  std::size_t state = chord_state(seed, first, parameters.mode, parameters.chord_progression_variety);
  Voicing voicing;
  voicing.pitches = triad_classes(parameters, degrees.at(state));
  voicing.bass = place(voicing.pitches.front(), kBassLow);
  for (int& pitch : voicing.pitches) pitch = place(pitch, kPadLow + arc_at(seed, first).height);
  for (std::int64_t b = first + 1; b <= bar; ++b) {
    state = step(matrix, state, chord_draw(seed, b));
    lead(voicing, triad_classes(parameters, degrees.at(state)));
  }
  voicing.degree = degrees.at(state);
  return voicing;
}

// Semitones from the root to the suspension of its third: a fourth, or a second if the fourth is not in the
// scale (then the second is).
int suspension_of(PitchClasses scale, int root) { return contains(scale, root + 5) ? 5 : 2; }

}  // namespace

PitchClasses scale_of(const MusicParameters& parameters) {
  unsigned classes = 0;
  for (const unsigned step : table_of(parameters.mode).steps) classes |= 1U << (parameters.key + step) % 12;
  return static_cast<PitchClasses>(classes);
}

TransitionMatrix chord_transitions(Mode mode, float variety) {
  const Percents& chances = table_of(mode).chances;
  const std::uint32_t even = in_256ths(variety);
  TransitionMatrix matrix{};
  for (std::size_t from = 0; from < kChordStates; ++from) {
    for (std::size_t to = 0; to < kChordStates; ++to) {
      matrix[from][to] = chances[from][to] * (256 - even) + kEvenChance * even;
    }
  }
  return matrix;
}

std::size_t chord_state(std::uint64_t seed, std::int64_t bar, Mode mode, float variety) {
  constexpr std::int64_t kLongest = 1'024;  // bars to look back; never reached in practice: returns the tonic
  const TransitionMatrix matrix = chord_transitions(mode, variety);
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

  const auto [degree, bass, triad, voices] = voicing_of(seed, bar, parameters);
  const auto [root, third, fifth] = triad;
  const PitchClasses scale = scale_of(parameters);
  Chord chord;
  chord.degree = static_cast<std::uint8_t>(degree);
  chord.voices = voices;
  const auto add = [&](int pitch) {
    chord.classes = static_cast<PitchClasses>(chord.classes | 1U << pitch % 12);
    chord.pitches.at(chord.pitch_count++) = static_cast<std::uint8_t>(pitch);
  };
  const int pad_low = kPadLow + arc.height;
  add(bass);
  for (const int pitch : triad) add(pitch);
  const int over_root = suspension_of(scale, root);
  // Skip the ninth if the suspension is a second: it is the same pitch class.
  if (suspended) chord.suspension = static_cast<std::uint8_t>(third + over_root - (third - root + 24) % 12);
  if (seventh) add(place((parameters.key + mode.steps.at((degree + 6) % mode.steps.size())) % 12, pad_low));
  if (ninth && contains(scale, root + 2) && !(suspended && over_root == 2)) {
    add(place((root + 2) % 12, pad_low + 12));
  }
  if (doubling) add(fifth + 12);
  return chord;
}

}  // namespace auralis
