// SPDX-License-Identifier: MIT
// One station: turns the composer's notes into the voices that an engine renders. The output is a function of
// the seed, the parameter history and the frame number; the only other state is a cache of composed bars.
// Chunk numbers count on the station's own sample axis. One thread.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <vector>

#include "common/music/parameter_history.h"
#include "synthd/composer/score.h"
#include "synthd/engine/engine.h"

namespace auralis {

class Station {
 public:
  // Uses only the sample rate and the chunk length of `timeline`.
  Station(std::uint64_t seed, const Timeline& timeline, const ParameterHistory& history);

  // The voices and gains of `chunk`, whether or not the engine rendered the chunk before it. Valid until the
  // next call.
  StationChunk prepare(std::int64_t chunk);

  // takes_change(): true if a change in `chunk` keeps the minimum distance from the last one. change():
  // applies it from `chunk` on. `chunk` is the next one to prepare, not prepared yet.
  bool takes_change(std::int64_t chunk) const { return keeps_spacing(history_, timeline_, chunk); }
  void change(const MusicParameters& parameters, std::int64_t chunk) {
    assert(takes_change(chunk));
    add_change(history_, timeline_, {chunk, parameters});
  }

  const ParameterHistory& history() const { return history_; }

  // Seed of the station's dither and of its reverb turns, StationChunk::dither_seed.
  std::uint32_t dither_seed() const { return static_cast<std::uint32_t>(seed_ ^ (seed_ >> 32)); }

  // First chunk of the warm-up for `chunk`: it holds the first frame that is still audible in the reverb at
  // the start of `chunk`. An engine without the station's state renders from there.
  std::int64_t reverb_chunk(std::int64_t chunk) const;

 private:
  const Score& score_of(const BarRecord& bar);

  std::uint64_t seed_;
  Timeline timeline_;
  ParameterHistory history_;
  struct Composed {
    BarRecord bar;  // frames == 0: empty
    Score score;
  };
  std::array<Composed, Bars::kMost> composed_;  // cache: bar b at index b mod kMost
  std::vector<Voice> voices_;
};

// Phase increment per frame of a MIDI note (69 = 440 Hz, equal temperament): 2^32 is one turn. Exact
// arithmetic: the same on every machine.
std::uint32_t phase_increment(int pitch, std::uint32_t sample_rate);

}  // namespace auralis
