// SPDX-License-Identifier: MIT
// The segment `synthd/audio`: the timeline, and a table of places for stations, each with a ring of chunks.
//
//     payload: [ AudioHeader | StationEntry 0, its ring | StationEntry 1, its ring | ... ]
//
// synthd writes it; streamd and the tools read it. Stations come and go while it lives. A station's state is
// written before the first chunk that it decides, so a writer that takes over renders that chunk alike.
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
inline constexpr std::size_t kStationNameBytes = 32;  // with its closing zero
inline constexpr std::size_t kMostStations = 4'096;   // places of a table
// No station has a chunk of a higher number, nor begins further from the timeline's chunk 0.
inline constexpr std::int64_t kMostChunk = kMostHistoryChunks;

// All that decides a station's sound, and what is known of it beside. Rendering is a pure function of this
// and the frame number, and so a restarted synthd goes on with the same music.
struct StationState {
  std::uint64_t seed = 0;
  std::int64_t origin_chunk = 0;  // chunk of the timeline that is its own chunk 0; may lie before all time
  std::uint64_t applied_request = 0;  // ControlRequest::number in force, 0 = none
  char name[kStationNameBytes] = {};  // of a-z, 0-9, _ and -
  std::uint32_t personal = 0;         // 1: a listener's own, gone with the last one; 0: configured
  std::uint32_t open = 0;             // 1: whoever hears it may change it
  ParameterHistory history;           // in the station's own chunks

  std::int64_t own_chunk(std::int64_t chunk) const { return chunk - origin_chunk; }
};

// Whether the bytes are a station's name, and zeros behind it.
bool is_stored_name(const char (&name)[kStationNameBytes]);

// A state of that name, which is cut to what there is room for.
StationState named_state(std::string_view name);

// A station's place in the table, for as long as it has it: the next tenant of the place has a higher
// generation.
struct StationId {
  std::size_t index = 0;
  std::uint64_t generation = 0;  // odd
};
inline bool operator==(const StationId& a, const StationId& b) {
  return a.index == b.index && a.generation == b.generation;
}

// The one writer: synthd's loop, one thread, except beat().
class AudioWriter {
 public:
  // `timeline.epoch_ns` counts only for a fresh segment: one that is taken over keeps its own. Throws
  // SegmentError.
  AudioWriter(const std::filesystem::path& directory, const Timeline& timeline, std::uint32_t slots,
              std::size_t places);
  ~AudioWriter();

  bool taken_over() const;
  const Timeline& timeline() const;
  std::uint32_t slots() const;  // chunks that a ring holds
  std::size_t places() const;

  // Rises by one when a station comes and when it goes: odd while there is one.
  std::uint64_t generation(std::size_t place) const;

  // The station at that place, a former writer's at first; nothing where it is free.
  std::optional<StationState> state(std::size_t place) const;

  // A station comes to a free place, whose ring is then empty; changes; and goes.
  void open(std::size_t place, const StationState& state);
  void store_state(std::size_t place, const StationState& state);
  void close(std::size_t place);

  // The station's newest whole chunk: a former writer's at first.
  std::optional<std::int64_t> newest(std::size_t place) const;

  // Publishes chunk_samples() samples, s16 interleaved. Wait-free.
  void write_chunk(std::size_t place, std::int64_t chunk, const std::int16_t* samples);

  void publish(std::int64_t now_ns);
  void beat(std::int64_t now_ns);

  // Puts the segment back if its file was removed, replaced or cut short, and, within some calls, what
  // another process wrote over in its table. True if the chunks are lost: the rings are empty then, the
  // stations are those that they were. After publish(), some ten times a second. Throws SegmentError.
  bool run_housekeeping(std::int64_t now_ns);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The places of the table that a writer left in `directory` and a new one with this timeline (but for its
// epoch) and ring could take over; nothing where there is none.
std::optional<std::size_t> former_places(const std::filesystem::path& directory, const Timeline& timeline,
                                         std::uint32_t slots);

// A read-only view of it. One thread.
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

  // 0 unless ready.
  std::size_t places() const;

  // Rises with every station that comes, changes or goes; cheap to poll.
  std::uint64_t table_version() const;

  // Even where the place is free, and 0 unless ready.
  std::uint64_t generation(std::size_t place) const;

  // Copies a chunk; asks the kernel whether the writer lives only where the chunk is not there. kWriterGone
  // also where the station has left its place.
  RingRead read(const StationId& station, std::int64_t chunk, std::int16_t* samples) const;
  std::optional<std::int64_t> newest(const StationId& station) const;

  // Checked: nothing where the bytes are not a valid state, or another station's.
  std::optional<StationState> state(const StationId& station) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
