// SPDX-License-Identifier: MIT
// C++ only: the stages of a chunk as plain functions over a station, for one set of instructions or numbers.
// Include after DSP_SET is defined; gives `stages()` in that namespace.
#include "synthd/engine/dsp/mix.h"
#include "synthd/engine/stages.h"

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

inline void render_voices(const DspShape* shape, const PackedStation* station, const PackedVoice* voices,
                          real* curves, real* bus) {
  for (uint32_t voice = 0; voice < station->ends[kGroups - 1]; ++voice) {
    curves_of_voice(shape, station, voices, curves, voice, 0);
  }
  const uint32_t block_frames = kBlockTiles * kTileFrames;
  const uint32_t blocks = (station->first_frame + shape->chunk_frames + block_frames - 1) / block_frames;
  for (uint32_t block = 0; block < blocks; ++block) mix_block(shape, station, voices, curves, bus, block, 0);
}

inline void render_reverb(const DspShape* shape, const PackedStation* station, real* bus, real* reverbs) {
  const uint32_t first = station->first_frame;
  reverb_chunk(shape, station, reverbs, PLANE(bus, SENT_LEFT) + first, PLANE(bus, SENT_RIGHT) + first,
               PLANE(bus, DRY_LEFT) + first, PLANE(bus, DRY_RIGHT) + first, 0);
}

inline void render_samples(const DspShape* shape, const PackedStation* station, const real* bus,
                           int16_t* samples) {
  finish_samples(shape, station, bus, samples, 0, (int32_t)shape->chunk_frames, 0);
}

inline void render_mix(const DspShape* shape, const PackedStation* station, const real* bus, real* mix) {
  finish_mix(shape, station, bus, mix, 0, (int32_t)shape->chunk_frames, 0);
}

inline Stages<real> stages(const char* name) {
  return {name, &render_voices, &render_reverb, &render_samples, &render_mix};
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)
