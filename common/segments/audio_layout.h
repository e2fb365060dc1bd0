// SPDX-License-Identifier: MIT
// What audio_writer.cpp and audio_reader.cpp share, and nobody else includes: how the segment is laid out,
// and what in it can be believed.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "common/segments/audio_segment.h"

namespace auralis {

// Written before the segment is published, constant from then on but for the table's version.
struct AudioHeader {
  SharedWord epoch_ns;
  SharedWord sample_rate;
  SharedWord chunk_frames;
  SharedWord channels;
  SharedWord slots;
  SharedWord places;
  SharedWord place_bytes;  // from one StationEntry to the next
  SharedWord table_version;
};
static_assert(sizeof(AudioHeader) == 64);

struct StationEntry {
  SharedWord generation;
  alignas(64) SharedRecord<StationState> state;
  // The ring follows.
};
static_assert(sizeof(StationEntry) % 64 == 0 && offsetof(StationEntry, state) == 64);
static_assert(sizeof(StationState) == 4'184 && sizeof(ParameterHistory) == 4'120,
              "kAudioLayoutVersion names this layout");

inline RingGeometry geometry_of(const Timeline& timeline, std::uint32_t slots) {
  return {slots, timeline.chunk_samples()};
}

inline std::size_t place_bytes(const RingGeometry& geometry) {
  return sizeof(StationEntry) + geometry.bytes();
}

inline std::filesystem::path audio_path(const std::filesystem::path& directory) {
  return directory / "audio";
}

// The state, if every field is possible.
inline std::optional<StationState> checked(std::optional<StationState> state) {
  const bool possible = state && valid(state->history) && is_stored_name(state->name) &&
                        state->personal <= 1 && state->open <= 1 &&
                        std::abs(state->origin_chunk / 2) <= kMostChunk;
  if (!possible) state.reset();
  return state;
}

}  // namespace auralis
