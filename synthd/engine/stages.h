// SPDX-License-Identifier: MIT
// The stages that render a chunk, compiled for one instruction set. Each processes the previous stage's
// output; all are pure except for `reverbs`, a station's own state. Any thread, but only one at a time per
// station.
#pragma once

#include <algorithm>
#include <cstdint>

#include "synthd/engine/dsp/layout.h"

namespace auralis {

template <typename Real>
struct Stages {
  const char* name;
  // Computes the curves of all voices. `curves`: kCurves * curve_points numbers per voice.
  void (*curves)(const DspShape* shape, const PackedStation* station, const PackedVoice* voices,
                 Real* curves);
  // Mixes the tones of a block of tiles. `bus`: four planes of a block.
  void (*block)(const DspShape* shape, const PackedStation* station, const PackedVoice* voices,
                const Real* curves, Real* bus, std::uint32_t block);
  // Adds the reverb to frames [begin, end) of the chunk, in ascending order. `reverbs`: kReverbs *
  // reverb_frames numbers.
  void (*reverb)(const DspShape* shape, const PackedStation* station, Real* bus, Real* reverbs,
                 std::uint32_t begin, std::uint32_t end);
  // Writes frames [begin, end) of the chunk's chunk_frames * 2 samples, interleaved: dithered to 16 bits ...
  void (*samples)(const PackedStation* station, const Real* bus, std::int16_t* samples, std::uint32_t begin,
                  std::uint32_t end);
  // ... or undithered floats, -1 to 1.
  void (*mix)(const PackedStation* station, const Real* bus, Real* mix, std::uint32_t begin,
              std::uint32_t end);
};

// Calls `each` for every block that the chunk touches, with the block's number and its half-open range of
// frames in the chunk.
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

// The stages compiled for each instruction set; the compiler's baseline runs everywhere.
Stages<float> native_baseline_stages();
#ifdef AURALIS_X86_SETS
Stages<float> native_avx2_stages();
Stages<float> native_avx512_stages();
#endif

}  // namespace auralis
