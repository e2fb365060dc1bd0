// SPDX-License-Identifier: MIT
// The segment `synthd/audio`: the timeline, and the station table, each row with a ring of chunks.
//
//     payload: [ AudioHeader | StationEntry 0, its ring | StationEntry 1, its ring | ... ]
//
// synthd writes it; streamd and the tools read it. Stations open and close during its lifetime. A station's
// state is written before the first chunk that depends on it, so that a writer that takes over renders the
// same chunk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/music/parameter_history.h"
#include "common/music/timeline.h"
#include "common/segments/audio_ring.h"
#include "common/segments/segment.h"

namespace auralis {

inline constexpr std::uint32_t kAudioLayoutVersion = 3;
inline constexpr std::size_t kStationNameBytes = 32;  // with its terminating zero
inline constexpr std::size_t kMostStations = 4'096;   // rows of a table, at most
// Bound of a station's chunk numbers, and of its distance from the timeline's chunk 0.
inline constexpr std::int64_t kMostChunk = kMostHistoryChunks;

// Everything that determines a station's sound, and its attributes. Rendering is a pure function of this and
// the frame number, so a restarted synthd continues the same music.
struct StationState {
  std::uint64_t seed = 0;
  std::int64_t origin_chunk = 0;      // timeline chunk of the station's chunk 0; may be negative
  std::uint64_t applied_request = 0;  // ControlRequest::number in force, 0 = none
  char name[kStationNameBytes] = {};  // of a-z, 0-9, _ and -
  std::uint32_t personal = 0;         // 1: closed after its last listener; 0: configured
  std::uint32_t open = 0;             // 1: every listener may change it
  ParameterHistory history;           // in the station's own chunks

  std::int64_t own_chunk(std::int64_t chunk) const { return chunk - origin_chunk; }

  // Whether the parameters in force in the timeline's `chunk` have all voices switched off.
  bool muted(std::int64_t chunk) const { return levels_in(history, own_chunk(chunk)).end->voices == 0; }
};

// Whether the bytes are a station's name, padded with zeros.
bool is_stored_name(const char (&name)[kStationNameBytes]);

// A default state of that name, truncated to kStationNameBytes - 1.
StationState named_state(std::string_view name);

// A row of the station table, and which of its successive stations: each has a higher generation.
struct StationId {
  std::size_t index = 0;
  std::uint64_t generation = 0;  // odd
};
inline bool operator==(const StationId& a, const StationId& b) {
  return a.index == b.index && a.generation == b.generation;
}

// The only writer: synthd's loop. One thread at a time; beat(), timeline() and the sizes: any thread.
class AudioWriter {
 public:
  // `timeline.epoch_ns` is used for a fresh segment only: a segment that is taken over keeps its own.
  // `capacity`: 1 to kMostStations rows. Throws SegmentError.
  AudioWriter(const std::filesystem::path& directory, const Timeline& timeline, std::uint32_t slots,
              std::size_t capacity);
  ~AudioWriter();

  bool taken_over() const;
  const Timeline& timeline() const;
  std::uint32_t slots() const;   // chunks that a ring holds
  std::size_t capacity() const;  // rows of the table

  // Rises by one when a station is opened and when it is closed: odd while the row is in use. Throws
  // std::out_of_range.
  std::uint64_t generation(std::size_t index) const;

  // The row's station, initially a former writer's; nothing if the row is free. Throws std::out_of_range.
  std::optional<StationState> state(std::size_t index) const;

  // Opens a station in a free row, with an empty ring; changes the state of an open one; closes it.
  void open(std::size_t index, const StationState& state);
  void store_state(std::size_t index, const StationState& state);
  void close(std::size_t index);

  // The newest whole chunk in the row's ring, initially a former writer's.
  std::optional<std::int64_t> newest(std::size_t index) const;

  // Publishes chunk_samples() samples, s16 interleaved, of an open station. Wait-free.
  void write_chunk(std::size_t index, std::int64_t chunk, const std::int16_t* samples);

  // Makes the segment visible to readers. Once, before run_housekeeping().
  void publish(std::int64_t now_ns);

  // Heartbeat, at least every second. Any thread.
  void beat(std::int64_t now_ns);

  // Restores the segment if its file was removed, replaced or truncated, and, spread over eight calls, what
  // another process overwrote in its table. True if the chunks are lost: the rings are empty then, the
  // stations unchanged. After publish(), about ten times a second. Throws SegmentError.
  bool run_housekeeping(std::int64_t now_ns);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Rows of the table that a writer left in `directory`, if a new writer with this timeline (except its epoch)
// and ring could take it over.
std::optional<std::size_t> former_capacity(const std::filesystem::path& directory, const Timeline& timeline,
                                           std::uint32_t slots);

// A read-only view of it. One thread at a time.
class AudioReader {
 public:
  explicit AudioReader(const std::filesystem::path& directory);
  ~AudioReader();

  // As SegmentReader::refresh, and validates the audio header against the mapped size: true if what is
  // attached changed.
  bool refresh();
  bool ready() const;
  std::string describe() const;
  const SegmentReader& segment() const;

  // Valid while ready().
  const Timeline& timeline() const;
  std::uint32_t slots() const;

  // Rows of the table; 0 unless ready.
  std::size_t capacity() const;

  // Rises whenever a station is opened, changed or closed; cheap to poll.
  std::uint64_t table_version() const;

  // Even if the row is free, and 0 unless ready.
  std::uint64_t generation(std::size_t index) const;

  // Copies a chunk; asks the kernel whether the writer lives only if the chunk is missing. kWriterGone also
  // if the station was closed.
  RingRead read(const StationId& station, std::int64_t chunk, std::int16_t* samples) const;
  std::optional<std::int64_t> newest(const StationId& station) const;

  // Validated: nothing if the bytes are not a valid state, or another station's.
  std::optional<StationState> state(const StationId& station) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
