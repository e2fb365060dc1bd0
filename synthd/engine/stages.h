// SPDX-License-Identifier: MIT
// The stages that make a chunk, as one set of instructions has them. Each takes a station's chunk from where
// the stage before it left it; all are pure but for `reverbs`, a station's own memory. Any thread, a station
// on one at a time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "synthd/engine/dsp/layout.h"

namespace auralis {

template <typename Real>
struct Stages {
  const char* name;
  // `curves`: kCurves * curve_points a voice.
  void (*curves)(const DspShape* shape, const PackedStation* station, const PackedVoice* voices,
                 Real* curves);
  // The tones of a block of tiles. `bus`: four planes of a block.
  void (*block)(const DspShape* shape, const PackedStation* station, const PackedVoice* voices,
                const Real* curves, Real* bus, std::uint32_t block);
  // Frames `begin` to before `end` of the chunk, after those before them. `reverbs`: kReverbs *
  // reverb_frames.
  void (*reverb)(const DspShape* shape, const PackedStation* station, Real* bus, Real* reverbs,
                 std::uint32_t begin, std::uint32_t end);
  // The same frames of chunk_frames * 2, interleaved: dithered to 16 bits ...
  void (*samples)(const PackedStation* station, const Real* bus, std::int16_t* samples, std::uint32_t begin,
                  std::uint32_t end);
  // ... or as they are, -1 to 1.
  void (*mix)(const PackedStation* station, const Real* bus, Real* mix, std::uint32_t begin,
              std::uint32_t end);
};

// Calls `each` with the number of each block that the chunk touches, and its first frame and the one behind
// its last in the chunk.
template <typename Each>
void for_each_block(const DspShape& shape, const PackedStation& station, const Each& each) {
  std::uint32_t begin = 0;
  for (std::uint32_t block = 0; begin < shape.chunk_frames; ++block) {
    const std::uint32_t end = std::min((block + 1) * kBlockFrames - station.first_frame, shape.chunk_frames);
    each(block, begin, end);
    begin = end;
  }
}

// All stages of a chunk, block by block, so that each finds in the nearest cache what the one before it left.
// The last is `finish`, called with frames as `samples` and `mix` are.
template <typename Real, typename Finish>
void render_chunk(const Stages<Real>& stages, const DspShape& shape, const PackedStation& station,
                  const PackedVoice* voices, Real* curves, Real* bus, Real* reverbs, const Finish& finish) {
  stages.curves(&shape, &station, voices, curves);
  for_each_block(shape, station, [&](std::uint32_t block, std::uint32_t begin, std::uint32_t end) {
    stages.block(&shape, &station, voices, curves, bus, block);
    stages.reverb(&shape, &station, bus, reverbs, begin, end);
    finish(begin, end);
  });
}

// The same stages as compiled for each set of instructions; the compiler's baseline runs everywhere.
Stages<float> native_baseline_stages();
#ifdef AURALIS_X86_SETS
Stages<float> native_avx2_stages();
Stages<float> native_avx512_stages();
#endif

}  // namespace auralis
