// SPDX-License-Identifier: MIT
// A station's music from any frame on, chunk by chunk, with the same samples as its listeners receive: all
// voices, or some groups of voices alone. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/music/parameter_history.h"
#include "common/music/timeline.h"
#include "synthd/engine/engine.h"
#include "synthd/station.h"

namespace auralis {

// The groups of voices that sound: bits as in MusicParameters::voices.
using Track = std::uint8_t;
inline constexpr Track kAllVoices = 0b1111;

class Music {
 public:
  // `engine`, with a station for each track, outlives this.
  Music(Engine& engine, const Timeline& timeline, std::uint64_t seed, const ParameterHistory& history,
        std::vector<Track> tracks, std::int64_t first_frame);

  // Renders the next chunk of all tracks. Starts with the chunks before `first_frame` that are still audible
  // in the reverb there (warm-up). Throws EngineError.
  void render_chunk();

  // First frame of the last rendered chunk, and of the one after it. A track's samples are those of the
  // track's index in the engine.
  std::int64_t chunk_begin() const { return timeline_.first_frame(chunk_); }
  std::int64_t chunk_end() const { return timeline_.first_frame(chunk_ + 1); }

 private:
  Engine& engine_;
  Timeline timeline_;
  std::vector<Track> tracks_;
  Station station_;
  std::int64_t chunk_;                      // rendered last
  std::vector<std::vector<Voice>> voices_;  // a track
  std::vector<StationChunk> batch_;
};

}  // namespace auralis
