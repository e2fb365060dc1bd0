// SPDX-License-Identifier: MIT
// What crosses over to a device: voices and chunks in the shape that kernels/dsp.cl reads them, relative to
// the chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "synthd/engine/engine.h"

namespace auralis {

// As struct Voice in kernels/dsp.cl.
struct PackedVoice {
  std::int32_t start = 0;  // frames from the chunk's first; negative for one that sounds already
  std::uint32_t gate = 0;
  std::uint32_t increment = 0;
  std::uint32_t detuned = 0;  // increment of a pad's saw
  std::uint32_t seed = 0;
  float left = 0;
  float right = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(PackedVoice) == 32);

// As struct Station in kernels/dsp.cl.
struct PackedStation {
  std::uint32_t first_frame = 0;  // lower half: the dither's place
  std::uint32_t dither_seed = 0;
  std::uint32_t reserved[2] = {};
  std::uint32_t ends[kVoiceTypes] = {};  // voices of type t stand at ends[t-1] .. ends[t]-1
  float gains_start[kVoiceTypes] = {};
  float gains_end[kVoiceTypes] = {};
};
static_assert(sizeof(PackedStation) == 64);

// Packs chunks, a thread each. Its memory is taken when it is made.
class VoicePacker {
 public:
  explicit VoicePacker(const EngineShape& shape);

  // Packs those voices of `chunk` that sound in it: at most shape.voices into `voices`. Returns how many were
  // left out. Deterministic: neither the order of the voices nor what was packed before counts.
  std::size_t pack(const StationChunk& chunk, PackedVoice* voices, PackedStation& station);

 private:
  EngineShape shape_;
  std::vector<const Voice*> sounding_;
};

}  // namespace auralis
