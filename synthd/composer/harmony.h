// SPDX-License-Identifier: MIT
// Scales and chords. Each mode has five chords; a stationary Markov chain over them chooses the chord of each
// bar. Pure functions; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/music/music_parameters.h"

namespace auralis {

// Set of pitch classes: bit p is pitch class p, 0 = C.
using PitchClasses = std::uint16_t;

inline bool contains(PitchClasses classes, int pitch) { return (classes >> (pitch % 12) & 1) != 0; }

// Returns the seven pitch classes of the key and mode.
PitchClasses scale_of(const MusicParameters& parameters);

// Number of the chain's states: the tonic, then four chords of the mode. Aeolian: i, iv, v, VI, III. All
// chords are diatonic to the mode, also the dominant, since the melody above it uses the mode's seventh.
inline constexpr std::size_t kChordStates = 5;

// Transition matrix of a mode. Entry [from][to] is the probability of that change times kTransitionScale;
// each row sums to kTransitionScale. `variety` (0 to 1) blends each row towards the uniform distribution.
inline constexpr std::uint32_t kTransitionScale = 25'600;
using TransitionMatrix = std::array<std::array<std::uint32_t, kChordStates>, kChordStates>;
TransitionMatrix chord_transitions(Mode mode, float variety);

// Returns the chain's state in bar `bar`, at a cost that does not grow with `bar`: coupling from the past
// (Propp and Wilson, "Exact sampling with coupled Markov chains", Random Structures and Algorithms 9, 1996).
// Every bar has one random number; the chain runs from all states at once up to this bar, starting further
// and further back, until all states have coalesced. The common state is that of the infinite chain, so
// consecutive bars follow the matrix exactly.
std::size_t chord_state(std::uint64_t seed, std::int64_t bar, Mode mode, float variety);

struct Chord {
  static constexpr std::size_t kMaxPitches = 7;
  static constexpr std::size_t kThird = 2;  // index in `pitches`: bass, root, third, fifth, added tones

  std::uint8_t degree = 0;                          // scale degree of the root, 0 = tonic
  PitchClasses classes = 0;                         // triad, plus seventh and ninth if present
  std::array<std::uint8_t, kMaxPitches> pitches{};  // MIDI notes as voiced for the pads; the bass first
  std::size_t pitch_count = 0;
  std::array<std::uint8_t, 3> voices{0, 1, 2};  // index of the led voice with the root, the third, the fifth
  std::uint8_t suspension = 0;  // MIDI note that replaces the third in the bar's first half; 0: none
};

// Bars of one run of voice leading; the next run starts in the initial octave again.
inline constexpr int kLedBars = 16;

// Returns the chord of a bar, spelled and voiced. The three upper voices start in the pads' octave, which
// moves with the arc, and go from chord to chord with the smallest total motion; the bass has the root, in
// its own range. Computed with the parameters of `bar` alone, at the cost of the chords since the run of
// voice leading started: kLedBars at most. A doubled fifth lies above the voices, a ninth (major only) in the
// octave above theirs. A suspension is a fourth or a major second over the root, from the scale.
Chord chord_of(std::uint64_t seed, std::int64_t bar, const MusicParameters& parameters);

}  // namespace auralis
