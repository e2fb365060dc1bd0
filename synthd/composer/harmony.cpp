// SPDX-License-Identifier: MIT
#include "synthd/composer/harmony.h"

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

constexpr int kBassLow = 36;  // C2: the bass lies in the octave from here
constexpr int kPadLow = 50;   // D3: likewise the pads

const ModeTable& table_of(Mode mode) { return kModes.at(static_cast<std::size_t>(mode)); }

std::size_t step(const TransitionMatrix& matrix, std::size_t from, std::uint32_t draw) {
  std::size_t to = 0;
  while (draw >= matrix[from][to]) draw -= matrix[from][to++];
  return to;
}

// The pitch of class `pitch_class` in the octave that begins at `low`.
std::uint8_t place(int pitch_class, int low) {
  return static_cast<std::uint8_t>(low + (pitch_class - low % 12 + 12) % 12);
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
      const std::uint32_t draw = RandomStream(seed, Purpose::kChord, b).below(kTransitionScale);
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
  const std::uint32_t density = in_256ths(parameters.harmonic_density);
  RandomStream random(seed, Purpose::kVoicing, bar);
  const bool seventh = random.below(256) < density;
  const bool ninth = random.below(256) < density * density / 256;
  const bool doubling = random.below(256) < density;

  Chord chord;
  chord.degree = mode.degrees.at(chord_state(seed, bar, parameters.chord_progression_variety));
  const auto add = [&](int thirds, int low) {
    const int pitch_class =
        (parameters.key + mode.steps[(chord.degree + 2U * static_cast<unsigned>(thirds)) % 7]) % 12;
    chord.classes = static_cast<PitchClasses>(chord.classes | 1U << pitch_class);
    chord.pitches.at(chord.pitch_count++) = place(pitch_class, low);
  };
  add(0, kBassLow);
  for (int third = 0; third < 3; ++third) add(third, kPadLow);
  if (seventh) add(3, kPadLow);
  if (ninth) add(4, kPadLow + 12);
  if (doubling) add(2, kPadLow + 12);
  return chord;
}

}  // namespace auralis
