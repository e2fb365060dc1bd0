// SPDX-License-Identifier: MIT
// Private to audio_writer.cpp and audio_reader.cpp: the layout of the segment, and the validation of a state.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <optional>

#include "common/segments/audio_segment.h"

namespace auralis {

// Written before the segment is published, constant from then on except the table's version.
struct AudioHeader {
  SharedWord epoch_ns;
  SharedWord sample_rate;
  SharedWord chunk_frames;
  SharedWord channels;
  SharedWord slots;
  SharedWord capacity;   // rows of the table
  SharedWord row_bytes;  // from one StationEntry to the next
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

inline std::size_t row_bytes(const RingGeometry& geometry) { return sizeof(StationEntry) + geometry.bytes(); }

inline constexpr const char* kAudioFileName = "audio";

// The decoded state; nothing unless every field is valid.
inline std::optional<StationState> checked(std::optional<StationState> state) {
  const bool possible = state && valid(state->history) && is_stored_name(state->name) &&
                        state->personal <= 1 && state->open <= 1 &&
                        std::abs(state->origin_chunk / 2) <= kMostChunk;
  if (!possible) state.reset();
  return state;
}

}  // namespace auralis
