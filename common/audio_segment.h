// SPDX-License-Identifier: MIT
// The segment `synthd/audio`: the timeline, a table of stations, and a ring of chunks a station.
//
//     payload: [ AudioHeader | StationEntry, ring of station 0 | StationEntry, ring of station 1 | ... ]
//
// synthd writes it; streamd and the tools read it. A station's state is written before the chunk that it
// belongs to, so a writer that takes over finds the state of the newest chunk or of the one after it, and
// both render that one alike.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/audio_ring.h"
#include "common/music_parameters.h"
#include "common/segment.h"
#include "common/timeline.h"

namespace auralis {

inline constexpr std::uint32_t kAudioLayoutVersion = 2;
inline constexpr std::size_t kStationNameBytes = 32;  // with its closing zero

// One bar on a station's sample axis, and the parameters that it was composed from.
struct BarRecord {
  std::int64_t index = 0;
  std::int64_t start_frame = 0;
  std::int64_t frames = 0;
  MusicParameters parameters;
};

// From chunk `chunk` on the levels and switches are these; they ramp to them over that chunk.
struct LevelChange {
  std::int64_t chunk = 0;
  MusicParameters levels;
};

// All that decides the sound of the next chunk, beside the seed: rendering is a pure function of this and the
// frame number, and so a restarted synthd goes on with the same music.
struct StationState {
  // Long enough for every note that still sounds, or did in the 12 s that the reverb remembers: a swell of 8
  // s, a bar and a release of 3 s, a lead of 5 s and its echoes, at bars of 2 s or more.
  static constexpr std::size_t kBars = 16;
  // As many changes of the last 12 s are remembered exactly.
  static constexpr std::size_t kLevelChanges = 32;

  std::uint64_t applied_request = 0;  // ControlRequest::number in force, 0 = none
  MusicParameters target;  // what was asked for; key, mode and bpm come into force with the next bar
  std::uint32_t bar_count = 0;
  std::uint32_t level_count = 0;
  BarRecord bars[kBars];              // oldest first; the last one covers the newest frame rendered
  LevelChange levels[kLevelChanges];  // oldest first; the oldest also counts for all before it
};

// A station as a reader sees it.
struct StationInfo {
  std::string name;
  std::uint64_t seed = 0;
};

// The one writer: synthd's loop, one thread, except beat().
class AudioWriter {
 public:
  // `timeline.epoch_ns` counts only for a fresh segment: one that is taken over keeps its own. Throws
  // SegmentError.
  AudioWriter(const std::filesystem::path& directory, const Timeline& timeline, std::uint32_t slots,
              const std::vector<StationInfo>& stations);
  ~AudioWriter();

  bool taken_over() const;
  const Timeline& timeline() const;
  std::uint32_t slots() const;

  // The state that a former writer left, if any.
  std::optional<StationState> state(std::size_t station) const;
  void store_state(std::size_t station, const StationState& state);

  // The station's newest whole chunk: a former writer's at first.
  std::optional<std::int64_t> newest(std::size_t station) const;

  // Publishes chunk_samples() samples, s16 interleaved. Wait-free.
  void write_chunk(std::size_t station, std::int64_t chunk, const std::int16_t* samples);

  void publish(std::int64_t now_ns);
  void beat(std::int64_t now_ns);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

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
  const std::vector<StationInfo>& stations() const;

  // Copies a chunk; asks the kernel whether the writer lives only where the chunk is not there.
  RingRead read(std::size_t station, std::int64_t chunk, std::int16_t* samples) const;
  std::optional<std::int64_t> newest(std::size_t station) const;

  // Checked: nothing where the bytes are not a valid state.
  std::optional<StationState> state(std::size_t station) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
