// SPDX-License-Identifier: MIT
// From voices to samples: the groups are added up tile by tile, the reverb is added, and the whole is
// saturated, dithered and rounded.
#ifndef AURALIS_DSP_MIX_H
#define AURALIS_DSP_MIX_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/reverb.h"
#include "synthd/engine/dsp/voices.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// A bus: four planes of shape->tiles tiles, from the first frame of the chunk's first tile on.
#define DRY_LEFT 0
#define DRY_RIGHT 1
#define SENT_LEFT 2  // to the reverb
#define SENT_RIGHT 3
#define PLANE(bus, which) ((bus) + (which) * (shape->tiles * kTileFrames))

// Kicks stay out of the reverb: it would make them a rumble.
#define SENT(group) ((group) != 2u)

#define BLOCK_SHARE (kBlockTiles * TILE_SHARE)  // frames of a block that one lane computes

// Frame of the block that a lane computes as its k-th: those of a tile stand together.
DSP_INLINE int32_t block_frame(uint32_t k, uint32_t lane) {
  return (int32_t)(k / TILE_SHARE * kTileFrames + k % TILE_SHARE * DSP_LANES + lane);
}

// One stereo block into another, the gain a straight line.
DSP_INLINE void add_ramped(real first, real slope, uint32_t lane, const real* RESTRICT left,
                           const real* RESTRICT right, real* RESTRICT to_left, real* RESTRICT to_right) {
  VECTORISE for (uint32_t k = 0; k < BLOCK_SHARE; ++k) {
    const real gain = FMA((real)block_frame(k, lane), slope, first);
    to_left[k] = FMA(gain, left[k], to_left[k]);
    to_right[k] = FMA(gain, right[k], to_right[k]);
  }
}

// Several tiles at a time, so that what is known of a voice is fetched once for all of them.
DSP_INLINE void mix_block(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station,
                          GLOBAL const PackedVoice* voices, GLOBAL const real* all_curves, GLOBAL real* bus,
                          uint32_t block, uint32_t lane) {
  real dry_left[BLOCK_SHARE];
  real dry_right[BLOCK_SHARE];
  real sent_left[BLOCK_SHARE];
  real sent_right[BLOCK_SHARE];
  for (uint32_t k = 0; k < BLOCK_SHARE; ++k)
    dry_left[k] = dry_right[k] = sent_left[k] = sent_right[k] = REAL(0.0);
  const uint32_t first_tile = block * kBlockTiles;
  const int32_t begin = (int32_t)first_tile * kTileFrames;
  uint32_t index = 0;
  for (uint32_t group = 0; group < kGroups; ++group) {
    const uint32_t end = station->ends[group];
    if (index == end) continue;
    real left[BLOCK_SHARE];
    real right[BLOCK_SHARE];
    for (uint32_t k = 0; k < BLOCK_SHARE; ++k) left[k] = right[k] = REAL(0.0);
    for (; index < end; ++index) {
      const PackedVoice v = voices[index];
      GLOBAL const real* curves = all_curves + index * (kCurves * shape->curve_points);
      for (uint32_t t = 0; t < kBlockTiles; ++t) {
        const uint32_t tile = first_tile + t;
        const int32_t n = (int32_t)tile * kTileFrames - v.start;
        if (n + kTileFrames <= 0 || n >= v.frames) continue;
        real* tile_left = left + t * TILE_SHARE;
        real* tile_right = right + t * TILE_SHARE;
        if (group == 0u) add_pad(shape, v, curves, n, tile, lane, tile_left, tile_right);
        if (group == 1u) add_lead(shape, v, curves, n, tile, lane, tile_left, tile_right);
        if (group == 2u) add_kick(shape, v, n, lane, tile_left, tile_right);
        if (group == 3u) add_swell(shape, v, curves, n, tile, lane, tile_left, tile_right);
      }
    }
    const real slope = (station->gains_end[group] - station->gains_start[group]) / (real)shape->chunk_frames;
    const real first = station->gains_start[group] + slope * (real)(begin - (int32_t)station->first_frame);
    add_ramped(first, slope, lane, left, right, dry_left, dry_right);
    if (SENT(group)) add_ramped(first, slope, lane, left, right, sent_left, sent_right);
  }
  for (uint32_t k = 0; k < BLOCK_SHARE; ++k) {
    const int32_t frame = begin + block_frame(k, lane);
    PLANE(bus, DRY_LEFT)[frame] = dry_left[k];
    PLANE(bus, DRY_RIGHT)[frame] = dry_right[k];
    PLANE(bus, SENT_LEFT)[frame] = sent_left[k];
    PLANE(bus, SENT_RIGHT)[frame] = sent_right[k];
  }
}

// tanh(0.7 x): level at small signals, never beyond 1.
DSP_INLINE real saturated(real x) {
  const real y = least(most(x, REAL(-20.0)), REAL(20.0));
#ifdef DSP_DOUBLE
  return tanh(0.7 * y);
#else
  return REAL(1.0) - REAL(2.0) / (REAL(1.0) + power_of_two(y * REAL(2.0197731)));  // 1.4 / ln 2
#endif
}

#define FULL_SCALE REAL(32766.0)

// 16 bits with triangular dither of one step either way (Lipshitz, Wannamaker and Vanderkooy, "Quantization
// and dither", JAES 40(5), 1992), a hash of the frame's own number.
DSP_INLINE int16_t quantised(real x, uint32_t random) {
  const int32_t dither = (int32_t)(random & 0xffffu) - (int32_t)(random >> 16);
  return (int16_t)nearest(FMA(x, FULL_SCALE, (real)dither * (REAL(1.0) / REAL(65536.0))));
}

// Frames of the chunk, interleaved: of 16 bits, or of floats without dither.
DSP_INLINE void finish_samples(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station,
                               GLOBAL const real* bus, GLOBAL int16_t* RESTRICT samples, int32_t begin,
                               int32_t end, uint32_t lane) {
  GLOBAL const real* left = PLANE(bus, DRY_LEFT) + station->first_frame;
  GLOBAL const real* right = PLANE(bus, DRY_RIGHT) + station->first_frame;
  const uint32_t axis_frame = station->axis_frame;
  const uint32_t seed = station->dither_seed;
  VECTORISE for (int32_t frame = begin + (int32_t)lane; frame < end; frame += DSP_LANES) {
    const uint32_t random = hash((axis_frame + (uint32_t)frame) ^ seed);
    samples[2 * frame] = quantised(saturated(left[frame]), random);
    samples[2 * frame + 1] = quantised(saturated(right[frame]), hash(random + 1u));
  }
}
DSP_INLINE void finish_mix(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station,
                           GLOBAL const real* bus, GLOBAL real* RESTRICT mix, int32_t begin, int32_t end,
                           uint32_t lane) {
  GLOBAL const real* left = PLANE(bus, DRY_LEFT) + station->first_frame;
  GLOBAL const real* right = PLANE(bus, DRY_RIGHT) + station->first_frame;
  VECTORISE for (int32_t frame = begin + (int32_t)lane; frame < end; frame += DSP_LANES) {
    mix[2 * frame] = saturated(left[frame]);
    mix[2 * frame + 1] = saturated(right[frame]);
  }
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
