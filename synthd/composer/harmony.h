// SPDX-License-Identifier: MIT
// Scales and chords. A mode has five chords of its own; which one a bar has is a stationary Markov chain over
// them. Pure functions; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/music/music_parameters.h"

namespace auralis {

// Bit p is pitch class p, 0 = C.
using PitchClasses = std::uint16_t;

inline bool contains(PitchClasses classes, int pitch) { return (classes >> (pitch % 12) & 1) != 0; }

// The seven tones of the key and mode.
PitchClasses scale_of(const MusicParameters& parameters);

// The chain's states: the tonic first, then the mode's own four. In aeolian i, iv, v, VI, III: all chords
// keep to the mode, also the dominant, since the mode's seventh sounds in the melody above it.
inline constexpr std::size_t kChordStates = 5;

// Each mode has a matrix of its own. Entry [from][to] is the chance of that change, in 1/kTransitionScale: a
// row sums to it. `variety` blends each row towards an even one.
inline constexpr std::uint32_t kTransitionScale = 25'600;
using TransitionMatrix = std::array<std::array<std::uint32_t, kChordStates>, kChordStates>;
TransitionMatrix chord_transitions(Mode mode, float variety);

// The chain's state in bar `bar`, at a cost that does not rise with it: coupling from the past (Propp and
// Wilson, "Exact sampling with coupled Markov chains", Random Structures and Algorithms 9, 1996). Every bar
// has one random number; the chain is run from all states at once up to this bar, from further and further
// back, until all have met. Where they meet is where the endless chain stands, so neighbouring bars follow
// the matrix exactly.
std::size_t chord_state(std::uint64_t seed, std::int64_t bar, Mode mode, float variety);

struct Chord {
  static constexpr std::size_t kMaxPitches = 7;
  static constexpr std::size_t kThird = 2;  // in `pitches`: bass, root, third, fifth, and what is added

  std::uint8_t degree = 0;                          // of its root in the scale, 0 = tonic
  PitchClasses classes = 0;                         // triad, and seventh and ninth where the bar has them
  std::array<std::uint8_t, kMaxPitches> pitches{};  // as the pads play it, MIDI; the bass first
  std::size_t pitch_count = 0;
  std::array<std::uint8_t, 3> voices{0, 1, 2};  // which of the led voices has the root, the third, the fifth
  std::uint8_t suspension = 0;  // MIDI; in the bar's first half in place of the third, 0: none
};

// Bars whose voices are led on from one chord to the next; then they start again.
inline constexpr int kLedBars = 16;

// The chord of a bar, spelled and voiced. The three upper voices of the triad begin in the pads' octave,
// which moves with the arc, and go from chord to chord by the least motion in all; the bass, with the root,
// likewise in its own range. That is told from the parameters of the bar: `bar` costs the chords since the
// voices began, kLedBars at most. A doubled fifth lies above them, a ninth in the octave above theirs: no
// minor one. A suspension is a fourth or a major second over the root, of the scale.
Chord chord_of(std::uint64_t seed, std::int64_t bar, const MusicParameters& parameters);

}  // namespace auralis
