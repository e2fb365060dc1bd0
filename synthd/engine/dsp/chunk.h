// SPDX-License-Identifier: MIT
// C++ only: the stages of a chunk as plain functions over a station, for one instruction set or number type.
// Define DSP_SET before including; declares `stages()` in that namespace.
#include "synthd/engine/dsp/mix.h"
#include "synthd/engine/stages.h"

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

inline void render_curves(const DspShape* shape, const PackedStation* station, const PackedVoice* voices,
                          real* curves) {
  for (uint32_t voice = 0; voice < station->ends[kGroups - 1]; ++voice) {
    curves_of_voice(shape, station, voices, curves, voice, 0);
  }
}

inline void render_block(const DspShape* shape, const PackedStation* station, const PackedVoice* voices,
                         const real* curves, real* bus, uint32_t block) {
  mix_block(shape, station, voices, curves, bus, kBlockFrames, block, 0);
}

inline void render_reverb(const DspShape* shape, const PackedStation* station, real* bus, real* reverbs,
                          uint32_t begin, uint32_t end) {
  const uint32_t plane = kBlockFrames;
  real* first = bus + (station->first_frame + begin) % kBlockFrames;
  reverb_frames(shape, station, reverbs, PLANE(first, SENT_LEFT), PLANE(first, SENT_RIGHT),
                PLANE(first, DRY_LEFT), PLANE(first, DRY_RIGHT), begin, end, 0);
}

inline void render_samples(const PackedStation* station, const real* bus, int16_t* samples, uint32_t begin,
                           uint32_t end) {
  const uint32_t plane = kBlockFrames;
  const real* first = bus + (station->first_frame + begin) % kBlockFrames;
  finish_samples(station, PLANE(first, DRY_LEFT), PLANE(first, DRY_RIGHT), samples, (int32_t)begin,
                 (int32_t)end, 0);
}

inline void render_mix(const PackedStation* station, const real* bus, real* mix, uint32_t begin,
                       uint32_t end) {
  const uint32_t plane = kBlockFrames;
  const real* first = bus + (station->first_frame + begin) % kBlockFrames;
  finish_mix(PLANE(first, DRY_LEFT), PLANE(first, DRY_RIGHT), mix, (int32_t)begin, (int32_t)end, 0);
}

inline Stages<real> stages(const char* name) {
  return {name, &render_curves, &render_block, &render_reverb, &render_samples, &render_mix};
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)
