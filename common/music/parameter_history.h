// SPDX-License-Identifier: MIT
// What was asked of a station in the course of time, and what follows from it alone: where its bars lie,
// which parameters each was composed from, and what is in force when. With the seed and a frame number this
// decides every sample. All chunks and frames here are the station's own, counted from its first. Pure; any
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/music/music_parameters.h"
#include "common/music/timeline.h"

namespace auralis {

// From chunk `chunk` on this was asked for: levels and switches ramp to it over that chunk; key, mode, tempo
// and all that is composed come with the next bar.
struct ParameterChange {
  std::int64_t chunk = 0;
  MusicParameters parameters;
};

template <std::size_t N>
struct ParameterHistoryOf {
  // The bar that the history begins with, and its first frame: of bars before it nothing is known.
  std::int64_t first_bar = 0;
  std::int64_t first_bar_frame = 0;
  std::uint32_t count = 0;
  std::uint32_t reserved = 0;
  std::array<ParameterChange, N> changes;  // oldest first; the oldest counts for all before it too
};

// Chunks, bars and frames beyond these are not told of: centuries at any length of a chunk, and no product of
// them overflows.
inline constexpr std::int64_t kMostHistoryChunks = std::int64_t{1} << 40U;
inline constexpr std::int64_t kMostHistoryFrames = kMostHistoryChunks << 14U;

// Changes follow one another at kChangeSpacingNs at least, so the oldest is forgotten when nothing sounds any
// more that it decided: 12 s of reverb over the end of a swell of 8 s that began late in a bar of 6 s, and
// some.
inline constexpr std::int64_t kChangeSpacingNs = 250 * kNsPerMs;
using ParameterHistory = ParameterHistoryOf<128>;

// A new station's: `parameters` from its first chunk on.
ParameterHistory begun_with(const MusicParameters& parameters);

// Whether every field is possible; bytes from another process are checked before they are believed.
bool valid(const ParameterHistory& history);

// What was last asked for.
const MusicParameters& target(const ParameterHistory& history);

// Whether a change in `chunk` keeps the distance to the one before it. One in the same chunk does: it joins
// it.
bool keeps_spacing(const ParameterHistory& history, const Timeline& timeline, std::int64_t chunk);

// Notes a change, in place of any that were to come after it; forgets the oldest where there is no room.
void add_change(ParameterHistory& history, const Timeline& timeline, const ParameterChange& change);

// Levels and switches at the end of `chunk`, and at its begin.
struct Levels {
  const MusicParameters* begin;
  const MusicParameters* end;
};
Levels levels_in(const ParameterHistory& history, std::int64_t chunk);

// One bar on a station's sample axis, and the parameters that it was composed from.
struct BarRecord {
  std::int64_t index = 0;
  std::int64_t start_frame = 0;
  std::int64_t frames = 0;
  MusicParameters parameters;
};
bool operator==(const BarRecord& a, const BarRecord& b);
inline bool operator!=(const BarRecord& a, const BarRecord& b) { return !(a == b); }

// Bars that follow one another, oldest first.
struct Bars {
  // Enough for every note that still sounds, or did in the 12 s that the reverb remembers: a swell of 8 s, a
  // bar and a release of 3 s, a lead of 5 s and its echoes, at bars of 2 s or more.
  static constexpr std::size_t kMost = 16;

  std::array<BarRecord, kMost> bars;
  std::size_t count = 0;

  const BarRecord* begin() const { return bars.data(); }
  const BarRecord* end() const { return bars.data() + count; }
};

// The last bars that begin before `end_frame`, as far as the history knows. Its cost does not rise with the
// frame.
Bars bars_before(const ParameterHistory& history, const Timeline& timeline, std::int64_t end_frame);

// The first frame that is not composed yet once `chunk` is prepared: the end of the engine's tile that holds
// the chunk's end, since a note that begins there sounds in all of the tile.
inline constexpr std::int64_t kComposedAheadFrames = 64;
inline std::int64_t composed_until(const Timeline& timeline, std::int64_t chunk) {
  return timeline.first_frame(chunk + 1) + kComposedAheadFrames;
}

// The history in few words for a station that begins with chunk `chunk`: all of it where there is room for
// it; else what still sounds from before may be lost, but not the bar that plays. Of the changes after
// `chunk` there must be room for all: see changes_after().
using ShortHistory = ParameterHistoryOf<8>;
ShortHistory shortened(const ParameterHistory& history, const Timeline& timeline, std::int64_t chunk);
ParameterHistory widened(const ShortHistory& history);
std::size_t changes_after(const ParameterHistory& history, std::int64_t chunk);

// Frames of a bar: four beats.
std::int64_t bar_frames(float bpm, std::uint32_t sample_rate);

}  // namespace auralis
