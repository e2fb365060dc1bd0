// SPDX-License-Identifier: MIT
// From voices to samples: the groups are added up block by block, the reverb is added, and the whole is
// saturated, dithered and rounded.
#ifndef AURALIS_DSP_MIX_H
#define AURALIS_DSP_MIX_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/pads.h"
#include "synthd/engine/dsp/reverb.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// A bus: four planes of shape->tiles tiles, from the first frame of the chunk's first tile on.
#define DRY_LEFT 0
#define DRY_RIGHT 1
#define SENT_LEFT 2  // to the reverb
#define SENT_RIGHT 3
#define PLANE(bus, which) ((bus) + (which) * (shape->tiles * kTileFrames))

#define BLOCK_SHARE (LANE_TILES * TILE_SHARE)  // frames of a block that one lane computes

// What a lane has of a block, both sides.
struct BlockShare {
  real left[BLOCK_SHARE];
  real right[BLOCK_SHARE];
};

// Kicks and swells, tile by tile.
DSP_INLINE void add_by_tiles(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voice,
                             GLOBAL const real* curves, uint32_t group, uint32_t first_tile, uint32_t row,
                             struct BlockShare* own) {
  for (uint32_t t = 0; t < LANE_TILES; ++t) {
    const uint32_t tile = first_tile + t;
    const int32_t n = (int32_t)tile * kTileFrames - voice->start;
    if (n + kTileFrames <= 0 || n >= voice->frames) continue;
    real* left = own->left + t * TILE_SHARE;
    real* right = own->right + t * TILE_SHARE;
    if (group == 2u) add_kick(shape, voice, n, row, left, right);
    if (group == 3u) add_swell(shape, voice, curves, n, tile, row, left, right);
  }
}

// A group of voices, added to `sum` with its gain, a straight line.
DSP_INLINE void add_group(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station,
                          GLOBAL const PackedVoice* voices, GLOBAL const real* all_curves, uint32_t group,
                          uint32_t first_tile, uint32_t row, struct BlockShare* RESTRICT sum) {
  const uint32_t first = group == 0u ? 0u : station->ends[group - 1u];
  const uint32_t end = station->ends[group];
  if (first == end) return;
  struct BlockShare own;
  VECTORISE for (uint32_t k = 0; k < BLOCK_SHARE; ++k) own.left[k] = own.right[k] = REAL(0.0);
  if (group == 0u) {
    add_pads(shape, voices, all_curves, end, first_tile, row, own.left, own.right);
  } else {
    for (uint32_t index = first; index < end; ++index) {
      GLOBAL const real* curves = all_curves + index * (kCurves * shape->curve_points);
      if (group == 1u) {
        add_lead(shape, voices + index, curves, first_tile, row, own.left, own.right);
      } else {
        add_by_tiles(shape, voices + index, curves, group, first_tile, row, &own);
      }
    }
  }
  const real start = station->gains_start[group];
  const real slope = (station->gains_end[group] - start) / (real)shape->chunk_frames;
  const int32_t begin = (int32_t)(first_tile * kTileFrames + row * kRowFrames - station->first_frame);
  VECTORISE for (uint32_t k = 0; k < BLOCK_SHARE; ++k) {
    const real gain = FMA((real)(begin + (int32_t)k), slope, start);
    sum->left[k] = FMA(gain, own.left[k], sum->left[k]);
    sum->right[k] = FMA(gain, own.right[k], sum->right[k]);
  }
}

// Several tiles at a time, so that what is known of a voice is fetched once for all of them.
DSP_INLINE void mix_block(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station,
                          GLOBAL const PackedVoice* voices, GLOBAL const real* all_curves, GLOBAL real* bus,
                          uint32_t block, uint32_t lane) {
  const uint32_t first_tile = block * kBlockTiles + lane / kTileRows;
  const uint32_t row = lane % kTileRows;
  const uint32_t begin = first_tile * kTileFrames + row * kRowFrames;
  struct BlockShare sum;
  VECTORISE for (uint32_t k = 0; k < BLOCK_SHARE; ++k) sum.left[k] = sum.right[k] = REAL(0.0);
  add_group(shape, station, voices, all_curves, 0, first_tile, row, &sum);
  add_group(shape, station, voices, all_curves, 1, first_tile, row, &sum);
  add_group(shape, station, voices, all_curves, 3, first_tile, row, &sum);
  VECTORISE for (uint32_t k = 0; k < BLOCK_SHARE; ++k) {
    PLANE(bus, SENT_LEFT)[begin + k] = sum.left[k];
    PLANE(bus, SENT_RIGHT)[begin + k] = sum.right[k];
  }
  // Kicks stay out of the reverb: it would make them a rumble.
  add_group(shape, station, voices, all_curves, 2, first_tile, row, &sum);
  VECTORISE for (uint32_t k = 0; k < BLOCK_SHARE; ++k) {
    PLANE(bus, DRY_LEFT)[begin + k] = sum.left[k];
    PLANE(bus, DRY_RIGHT)[begin + k] = sum.right[k];
  }
}

// tanh(0.7 x), of x up to 8 either way: a little less than 1. An odd rational function, fitted to the least
// largest error (4.3e-7, its rounding included).
DSP_INLINE real saturated(real x) {
  x = least(most(x, REAL(-8.0)), REAL(8.0));
#ifdef DSP_DOUBLE
  return tanh(0.7 * x);
#else
  const real y = x * x;
  const real above = FMA(y, FMA(y, FMA(y, 3.9123782e-7f, 4.0931147e-4f), 4.2781670e-2f), 0.69999951f);
  const real below = FMA(y, FMA(y, FMA(y, 1.8854107e-5f, 5.2321660e-3f), 0.22444855f), 1.0f);
  return x * above / below;
#endif
}

#define FULL_SCALE REAL(32766.0)

// 16 bits with triangular dither of one step either way (Lipshitz, Wannamaker and Vanderkooy, "Quantization
// and dither", JAES 40(5), 1992), from a hash of the frame's own number. As the bits of a word, sign extended
// or not.
DSP_INLINE uint32_t quantised(real x, uint32_t random) {
  const int32_t dither = (int32_t)(random & 0xffffu) - (int32_t)(random >> 16);
  return nearest_bits(FMA(x, FULL_SCALE, (real)dither * (REAL(1.0) / REAL(65536.0))));
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
    store_pair(samples, frame, quantised(saturated(left[frame]), random),
               quantised(saturated(right[frame]), hash(random + 1u)));
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
