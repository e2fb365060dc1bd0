// SPDX-License-Identifier: MIT
// An audio segment of three rows, and the chunks and states in it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/segments/audio_segment.h"
#include "tests/unit/common/segments/audio_support.h"
#include "tests/unit/common/support.h"

namespace auralis::test {

inline constexpr Timeline kTimeline{1'000, 44'100, 882, 2};
inline constexpr std::uint32_t kSlots = 8;
inline constexpr std::size_t kCapacity = 3;

inline StationState state_of(std::uint64_t request, std::string_view name = "default") {
  StationState state = named_state(name);
  state.seed = 0xffffffffffffffffULL;
  state.applied_request = request;
  state.open = 1;
  state.history = begun_with(kPresets[0].parameters);
  add_change(state.history, kTimeline, {10, kPresets[1].parameters});
  return state;
}

inline AudioWriter writer_in(const TempDir& dir, const Timeline& timeline = kTimeline,
                             std::uint32_t slots = kSlots, std::size_t capacity = kCapacity) {
  return {dir.path(), timeline, slots, capacity};
}

inline StationId station_at(const AudioReader& reader, std::size_t index) {
  return {index, reader.generation(index)};
}

inline void write_chunk(AudioWriter& writer, std::size_t station, std::int64_t chunk) {
  std::vector<std::int16_t> samples(kTimeline.chunk_samples());
  fill(samples, chunk + static_cast<std::int64_t>(station) * 1'000);
  writer.write_chunk(station, chunk, samples.data());
}

inline bool reads_whole(const AudioReader& reader, std::size_t station, std::int64_t chunk) {
  std::vector<std::int16_t> samples(kTimeline.chunk_samples());
  return reader.read(station_at(reader, station), chunk, samples.data()) == RingRead::kChunk &&
         whole(samples, chunk + static_cast<std::int64_t>(station) * 1'000);
}

inline RingRead outcome(const AudioReader& reader, std::int64_t chunk) {
  std::vector<std::int16_t> samples(kTimeline.chunk_samples());
  return reader.read(station_at(reader, 0), chunk, samples.data());
}

}  // namespace auralis::test
