// SPDX-License-Identifier: MIT
// The parameter changes of a station over time, and what derives from them alone: the position of its bars,
// the parameters that each was composed from, and the parameters in force at a chunk. Together with the seed
// and a frame number this determines every sample. All chunks and frames here are the station's own, counted
// from its first. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/music/music_parameters.h"
#include "common/music/timeline.h"

namespace auralis {

// Parameters requested from chunk `chunk` on: levels and switches ramp to them over that chunk; key, mode,
// tempo and everything composed follow with the next bar.
struct ParameterChange {
  std::int64_t chunk = 0;
  MusicParameters parameters;
};

template <std::size_t N>
struct ParameterHistoryOf {
  // The bar that the history begins with, and its first frame: bars before it are unknown.
  std::int64_t first_bar = 0;
  std::int64_t first_bar_frame = 0;
  std::uint32_t count = 0;
  std::uint32_t reserved = 0;
  std::array<ParameterChange, N> changes;  // oldest first; the oldest also applies before it
};

// Upper bounds of chunk, bar and frame numbers: centuries at any length of a chunk, and no product of them
// overflows.
inline constexpr std::int64_t kMostHistoryChunks = std::int64_t{1} << 40U;
inline constexpr std::int64_t kMostHistoryFrames = kMostHistoryChunks << 14U;

// Changes are at least kChangeSpacingNs apart, so that the oldest is dropped only when nothing composed from
// it is audible any more: 12 s of reverb after a swell of 8 s that began late in a bar of 6 s, plus a margin.
inline constexpr std::int64_t kChangeSpacingNs = 250 * kNsPerMs;
using ParameterHistory = ParameterHistoryOf<128>;

// The history of a new station: `parameters` from its first chunk on.
ParameterHistory begun_with(const MusicParameters& parameters);

// Whether every field is possible; bytes from another process are validated before use.
bool valid(const ParameterHistory& history);

// The parameters of the newest change.
const MusicParameters& target(const ParameterHistory& history);

// Whether a change in `chunk` keeps the minimum distance to the previous one. A change in the same chunk
// does: the two merge.
bool keeps_spacing(const ParameterHistory& history, const Timeline& timeline, std::int64_t chunk);

// Adds a change and removes all later ones; drops the oldest if there is no room.
void add_change(ParameterHistory& history, const Timeline& timeline, const ParameterChange& change);

// Levels and switches at the end of `chunk`, and at its beginning.
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

// Consecutive bars, oldest first.
struct Bars {
  // Enough for every note that is sounding, or was within the 12 s of the reverb's tail: a swell of 8 s, a
  // bar and a release of 3 s, a lead of 5 s and its echoes, at bars of 2 s or more.
  static constexpr std::size_t kMost = 16;

  std::array<BarRecord, kMost> bars;
  std::size_t count = 0;

  const BarRecord* begin() const { return bars.data(); }
  const BarRecord* end() const { return bars.data() + count; }
};

// The last bars that begin before `end_frame`, as far back as the history reaches. Cost independent of the
// frame number.
Bars bars_before(const ParameterHistory& history, const Timeline& timeline, std::int64_t end_frame);

// The first frame that is not composed yet once `chunk` is prepared: the end of the engine's tile that holds
// the chunk's end, since a note that begins there sounds in all of the tile.
inline constexpr std::int64_t kComposedAheadFrames = 64;
inline std::int64_t composed_until(const Timeline& timeline, std::int64_t chunk) {
  return timeline.first_frame(chunk + 1) + kComposedAheadFrames;
}

// A compact history for a station that begins with chunk `chunk`: complete if it fits; otherwise notes still
// sounding from before may be lost, but not the current bar. All changes after `chunk` must fit: see
// changes_after().
using ShortHistory = ParameterHistoryOf<8>;
ShortHistory shortened(const ParameterHistory& history, const Timeline& timeline, std::int64_t chunk);
ParameterHistory widened(const ShortHistory& history);
std::size_t changes_after(const ParameterHistory& history, std::int64_t chunk);

// The history without the changes from which nothing audible from `chunk` on is composed: the same music from
// there on.
ParameterHistory trimmed(const ParameterHistory& history, const Timeline& timeline, std::int64_t chunk);

// Frames of a bar: four beats.
std::int64_t bar_frames(float bpm, std::uint32_t sample_rate);

}  // namespace auralis
