// SPDX-License-Identifier: MIT
// Interface of all engines: renders a batch, one chunk per station. An engine is independent of music, clocks
// and shared memory; equal input gives equal samples.
//
// Voices are functions of the frame number alone, but the reverb has state: render a station's chunks in
// ascending order, under the station's own index. To start at another frame, warm up from the chunk that
// contains reverb_start() (voice_pack.h): from the wanted frame on, the samples equal those of uninterrupted
// rendering.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "synthd/engine/device.h"
#include "synthd/engine/engine_error.h"
#include "synthd/engine/voice.h"

namespace auralis {

// Dimensions of an engine, fixed at construction, which allocates all of its memory.
struct EngineShape {
  std::uint32_t sample_rate = 44'100;
  std::uint32_t chunk_frames = 4'410;
  std::size_t stations = 1;  // number of station indices; maximum chunks per batch
  std::size_t voices = 128;  // maximum tones per station: a pad is two, a lead one plus its echoes
  bool float_mix = false;    // output is mix() instead of samples()
};

// One chunk of one station.
struct StationChunk {
  std::size_t station = 0;  // index, below EngineShape::stations; at most one chunk per station in a batch
  std::int64_t first_frame = 0;
  const Voice* voices = nullptr;  // all that sound in the chunk, in any order; others are ignored
  std::size_t voice_count = 0;
  std::array<float, kVoiceTypes> gains_start{};  // per voice type, at the chunk's first frame ...
  std::array<float, kVoiceTypes> gains_end{};    // ... linear to the first frame after the chunk
  std::uint32_t dither_seed = 0;                 // Station::dither_seed()
};

struct RenderReport {
  std::int64_t device_busy_ns = 0;  // time that the device spent on the batch, by its own clock
  std::size_t voices_dropped = 0;   // tones dropped beyond EngineShape::voices, the quietest first
};

// What renders, for people and metrics.
struct EngineInfo {
  std::string engine;  // "opencl" or "native"
  std::string device;  // its name, or the instruction set of the native engine
  DeviceType type = DeviceType::kCpu;
};

// One thread: the one of the first render().
class Engine {
 public:
  virtual ~Engine() = default;

  // Renders batch[0 .. count-1], count <= stations. Blocks until the samples are complete. Throws
  // EngineError.
  virtual RenderReport render(const StationChunk* batch, std::size_t count) = 0;

  // Returns chunk `index` of the last batch: chunk_frames * 2 samples, interleaved. Valid until the next
  // render(). EngineShape::float_mix decides which of the two is there: samples() dithered to 16 bits, or the
  // mix() before dithering, from -1 to 1.
  virtual const std::int16_t* samples(std::size_t index) const = 0;
  virtual const float* mix(std::size_t index) const = 0;

  // Returns the first frame of the chunk that continues the station's last one; -1 if none was rendered.
  virtual std::int64_t next_frame(std::size_t station) const = 0;

  // Discards the station's state, for an index that another station takes over: that station's first chunk
  // does not continue the last one, even if its frame number does.
  virtual void forget(std::size_t station) = 0;

  // Describes what renders now; it changes if the engine fails over.
  virtual EngineInfo info() const = 0;

  // Returns the bytes of memory that the engine holds on its device.
  virtual std::size_t device_bytes() const = 0;
};

}  // namespace auralis
