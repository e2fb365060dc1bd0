// SPDX-License-Identifier: MIT
// The interface of all engines: renders one chunk each of a batch of stations. An engine knows no music, no
// clock and no shared memory; equal input gives equal samples.
//
// Voices are functions of the frame alone, but the reverb has memory: a station's chunks are rendered in
// ascending order, under the station's own index. To start anywhere else, start with the chunk that contains
// reverb_start() (voice_pack.h): from the wanted frame on, the samples are those of a station that was never
// interrupted.
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
  std::size_t stations = 1;  // station indices, and most chunks a batch
  std::size_t voices = 128;  // most tones a station: a pad is two, a lead one and its echoes
  bool float_mix = false;    // mix() instead of samples()
};

// One chunk of one station.
struct StationChunk {
  std::size_t station = 0;  // index, below EngineShape::stations; at most one chunk of a station a batch
  std::int64_t first_frame = 0;
  const Voice* voices = nullptr;  // those that sound in the chunk, in any order; may also hold others
  std::size_t voice_count = 0;
  std::array<float, kVoiceTypes> gains_start{};  // of each type of voice, from the chunk's first frame ...
  std::array<float, kVoiceTypes> gains_end{};    // ... in a straight line to the first frame after it
  std::uint32_t dither_seed = 0;                 // the station's own
};

struct RenderReport {
  std::int64_t device_busy_ns = 0;  // time that the device worked on the batch, by its own clock
  std::size_t voices_dropped = 0;   // tones left out because more sounded than fit: the quietest first
};

// The device or its driver failed; the text says which call, which error, what to do.
struct EngineError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One thread, which is that of the first render().
class Engine {
 public:
  virtual ~Engine() = default;

  // Renders batch[0 .. count-1], count <= stations. Returns when the samples are complete. Throws
  // EngineError.
  virtual RenderReport render(const StationChunk* batch, std::size_t count) = 0;

  // Chunk `index` of the last batch: chunk_frames * 2 samples, interleaved. Valid until the next render().
  // One of the two, as the shape says: dithered to 16 bits, or the mix before that, from -1 to 1.
  virtual const std::int16_t* samples(std::size_t index) const = 0;
  virtual const float* mix(std::size_t index) const = 0;

  // First frame of the chunk that continues the station's last one; -1 if none was rendered.
  virtual std::int64_t next_frame(std::size_t station) const = 0;

  // Discards the state of the station: the index belongs to another one from now on, even if that one's first
  // chunk continues the last one by number.
  virtual void forget(std::size_t station) = 0;

  // Memory that the engine holds on its device.
  virtual std::size_t device_bytes() const = 0;
};

}  // namespace auralis
