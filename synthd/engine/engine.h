// SPDX-License-Identifier: MIT
// The interface of all engines: renders one chunk each of a batch of stations. An engine knows no music, no
// clock and no shared memory; equal input gives equal samples, whatever was rendered before.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "synthd/engine/voice.h"

namespace auralis {

// Fixed when an engine is made, and with it all the memory that it takes.
struct EngineShape {
  std::uint32_t sample_rate = 44'100;
  std::uint32_t chunk_frames = 4'410;
  std::size_t stations = 1;  // most chunks a batch
  std::size_t voices = 48;   // most voices a station
};

// One chunk of one station.
struct StationChunk {
  std::int64_t first_frame = 0;
  const Voice* voices = nullptr;  // those that sound in the chunk, in any order; may also hold others
  std::size_t voice_count = 0;
  std::array<float, kVoiceTypes> gains_start{};  // of each type of voice, from the chunk's first frame ...
  std::array<float, kVoiceTypes> gains_end{};    // ... in a straight line to the first frame after it
  std::uint32_t dither_seed = 0;
};

struct RenderReport {
  std::int64_t device_busy_ns = 0;  // time that the device worked on the batch, by its own clock
  std::size_t voices_dropped =
      0;  // left out since more sounded than fit: the quietest first, of these the oldest
};

// The device or its driver failed: which call, which error, what to do.
struct EngineError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One thread.
class Engine {
 public:
  virtual ~Engine() = default;

  // Renders batch[0 .. count-1], count <= stations. Returns when the samples are there. Throws EngineError.
  virtual RenderReport render(const StationChunk* batch, std::size_t count) = 0;

  // Chunk `index` of the last batch: chunk_frames * 2 samples, interleaved. Valid until the next render().
  virtual const std::int16_t* samples(std::size_t index) const = 0;

  // What it holds on its device.
  virtual std::size_t device_bytes() const = 0;
};

}  // namespace auralis
