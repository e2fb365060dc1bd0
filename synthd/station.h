// SPDX-License-Identifier: MIT
// One station: joins what the composer writes to what an engine plays. All of it follows from the seed, what
// was asked for in the course of time, and the frame number: nothing is kept but what it would cost to find
// again. Chunks are the station's own. One thread.
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
  // Of `timeline` the rate and the length of a chunk count.
  Station(std::uint64_t seed, const Timeline& timeline, const ParameterHistory& history);

  // What sounds in `chunk`, for an engine that knows what went before or not. Valid until the next call.
  StationChunk prepare(std::int64_t chunk);

  // Whether a change in `chunk` comes not too soon after the last one; and puts it in force. `chunk` is the
  // next one to be prepared, and not prepared yet.
  bool takes_change(std::int64_t chunk) const { return keeps_spacing(history_, timeline_, chunk); }
  void change(const MusicParameters& parameters, std::int64_t chunk) {
    assert(takes_change(chunk));
    add_change(history_, timeline_, {chunk, parameters});
  }

  const ParameterHistory& history() const { return history_; }

  // The station's own number for dither and reverb, StationChunk::dither_seed.
  std::uint32_t dither_seed() const { return static_cast<std::uint32_t>(seed_ ^ (seed_ >> 32)); }

  // The chunk that holds the first frame that is heard in the reverb where `chunk` begins: where to begin
  // with an engine that does not know what went before.
  std::int64_t reverb_chunk(std::int64_t chunk) const;

 private:
  const Score& score_of(const BarRecord& bar);

  std::uint64_t seed_;
  Timeline timeline_;
  ParameterHistory history_;
  struct Composed {
    BarRecord bar;  // without frames: none
    Score score;
  };
  std::array<Composed, Bars::kMost> composed_;  // bar b at place b mod kMost
  std::vector<Voice> voices_;
};

// Phase increment of a MIDI note (69 = 440 Hz, equal temperament): 2^32 a turn. Exact arithmetic, alike
// everywhere.
std::uint32_t phase_increment(int pitch, std::uint32_t sample_rate);

}  // namespace auralis
