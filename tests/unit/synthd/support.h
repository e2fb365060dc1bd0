// SPDX-License-Identifier: MIT
// Shared by the tests of synthd: engines and voices to play on them, in addition to the common folder and
// clock.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "synthd/engine/device.h"
#include "synthd/engine/native_engine.h"
#include "synthd/engine/opencl_engine.h"
#include "tests/unit/support.h"
#include "tests/unit/synthd/measure.h"

namespace auralis::test {

inline void prepare_opencl() {
  prepare_opencl_environment(std::filesystem::temp_directory_path() / "auralis-pocl-cache");
}

struct EngineKind {
  std::string name;
  std::function<std::unique_ptr<Engine>(const EngineShape&)> make;
};

// A native engine on two threads.
inline EngineKind native_kind(const Stages<float>& stages) {
  return {stages.name,
          [stages](const EngineShape& shape) { return std::make_unique<NativeEngine>(shape, 2, stages); }};
}

// Returns every available engine: native with each instruction set, the fastest first; and OpenCL on the
// device that synthd would choose (PoCL if there is no other), with the work-group sizes of a CPU and of a
// GPU.
inline std::vector<EngineKind> engine_kinds() {
  std::vector<EngineKind> kinds;
  for (const auto& stages : native_stages()) kinds.push_back(native_kind(stages));
  for (const std::size_t lanes : {std::size_t{1}, std::size_t{kTileFrames}}) {
    kinds.push_back({"OpenCL, lanes: " + std::to_string(lanes), [lanes](const EngineShape& shape) {
                       prepare_opencl();
                       return std::make_unique<OpenClEngine>(choose_device(opencl_devices(), ""), shape,
                                                             lanes);
                     }});
  }
  return kinds;
}

inline EngineShape float_shape() {
  EngineShape shape;
  shape.float_mix = true;
  return shape;
}

inline Voice voice_of(VoiceType type, std::int64_t start, std::int64_t gate, double hz) {
  Voice v;
  v.type = type;
  v.start_frame = start;
  v.gate_frames = static_cast<std::uint32_t>(gate);
  v.phase_increment = static_cast<std::uint32_t>(hz * 4'294'967'296.0 / EngineShape{}.sample_rate);
  v.seed = 12'345;
  v.gain = 0.5F;
  return v;
}

// Makes a chunk of `voices`, every group at full level.
inline StationChunk chunk_of(const std::vector<Voice>& voices, std::int64_t first_frame) {
  StationChunk chunk;
  chunk.first_frame = first_frame;
  chunk.voices = voices.data();
  chunk.voice_count = voices.size();
  chunk.gains_start.fill(1);
  chunk.gains_end.fill(1);
  return chunk;
}

// Renders `chunk` with an engine of float_shape() and appends it to `audio`.
inline void play_on(Engine& engine, const StationChunk& chunk, Stereo& audio) {
  engine.render(&chunk, 1);
  audio.append(engine.mix(0), float_shape().chunk_frames);
}

inline Stereo play(Engine& engine, const std::vector<Voice>& voices, std::int64_t chunks,
                   std::int64_t first_frame = 0) {
  Stereo audio;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    play_on(engine, chunk_of(voices, first_frame + chunk * float_shape().chunk_frames), audio);
  }
  return audio;
}

}  // namespace auralis::test
