// SPDX-License-Identifier: MIT
// The stages that make a chunk, as one set of instructions has them. Each takes a station's chunk from where
// the stage before it left it; all are pure but for `reverbs`, a station's own memory. Any thread, a station
// on one at a time.
#pragma once

#include <boost/align/aligned_allocator.hpp>

#include <cstdint>
#include <vector>

#include "synthd/engine/dsp/layout.h"

namespace auralis {

// What stages work in: begins on a cache line, so that few of their vectors cross one.
template <typename Real>
using StageMemory = std::vector<Real, boost::alignment::aligned_allocator<Real, 64>>;

template <typename Real>
struct Stages {
  const char* name;
  // `curves`: kCurves * curve_points a voice. `bus`: four planes of `tiles` tiles.
  void (*voices)(const DspShape* shape, const PackedStation* station, const PackedVoice* voices, Real* curves,
                 Real* bus);
  // `reverbs`: kReverbs * reverb_frames.
  void (*reverb)(const DspShape* shape, const PackedStation* station, Real* bus, Real* reverbs);
  // chunk_frames * 2, interleaved: dithered to 16 bits ...
  void (*samples)(const DspShape* shape, const PackedStation* station, const Real* bus,
                  std::int16_t* samples);
  // ... or as they are, -1 to 1.
  void (*mix)(const DspShape* shape, const PackedStation* station, const Real* bus, Real* mix);
};

// The same stages as compiled for each set of instructions; the compiler's baseline runs everywhere.
Stages<float> native_baseline_stages();
#ifdef AURALIS_X86_SETS
Stages<float> native_avx2_stages();
Stages<float> native_avx512_stages();
#endif

}  // namespace auralis
