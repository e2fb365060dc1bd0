// SPDX-License-Identifier: MIT
// One station: joins what the composer writes to what an engine plays. Which bars there are, what was asked
// for, and how loud each group of voices is; all of it follows from StationState, the seed and the frame
// number. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "common/audio_segment.h"
#include "common/control_segment.h"
#include "synthd/composer/score.h"
#include "synthd/engine/engine.h"

namespace auralis {

class Station {
 public:
  // A station that has not sounded yet.
  static StationState fresh_state(const MusicParameters& parameters);

  // A station as it is before `frame` if nothing was asked of it since frame 0, at a cost that does not rise
  // with `frame`.
  static StationState unchanged_state(const MusicParameters& parameters, std::uint32_t sample_rate,
                                      std::int64_t frame);

  // Goes on from `state`, a fresh or a former writer's.
  Station(std::uint64_t seed, std::uint32_t sample_rate, const StationState& state);

  // Puts a request in force: levels and switches ramp over chunk `chunk`, the next one to be rendered; key,
  // mode, tempo and all that is composed come with the next bar.
  void apply(const ControlRequest& request, std::int64_t chunk);

  // What sounds in `chunk`, the bars being led on up to its end; chunks may be skipped, but not gone back to.
  // Valid until the next call, as is what follows.
  StationChunk prepare(const Timeline& timeline, std::int64_t chunk);

  // What sounded in `chunk`, one of the seconds that the reverb remembers: for an engine that does not know
  // them.
  StationChunk recall(const Timeline& timeline, std::int64_t chunk);

  // The station's own number for dither and reverb, StationChunk::dither_seed.
  std::uint32_t dither_seed() const { return static_cast<std::uint32_t>(seed_ ^ (seed_ >> 32)); }

  // The state from which prepare() of the last chunk, and of the next one, follows.
  const StationState& state() const { return state_; }

 private:
  void lead_on(std::int64_t end_frame);

  std::uint64_t seed_;
  std::uint32_t sample_rate_;
  StationState state_;
  std::array<Score, StationState::kBars> scores_;  // of state_.bars
  std::vector<Voice> voices_;
};

// Phase increment of a MIDI note (69 = 440 Hz, equal temperament): 2^32 a turn. Exact arithmetic, alike
// everywhere.
std::uint32_t phase_increment(int pitch, std::uint32_t sample_rate);

}  // namespace auralis
