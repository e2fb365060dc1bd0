// SPDX-License-Identifier: MIT
// From voices to samples: sums the groups block by block, adds the reverb, then saturates, dithers and
// quantises.
#ifndef AURALIS_DSP_MIX_H
#define AURALIS_DSP_MIX_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/leads.h"
#include "synthd/engine/dsp/pads.h"
#include "synthd/engine/dsp/reverb.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// Planes of a bus, `plane` frames each (whole blocks).
#define DRY_LEFT 0
#define DRY_RIGHT 1
#define SENT_LEFT 2  // send to the reverb
#define SENT_RIGHT 3
#define PLANE(bus, which) ((bus) + (which)*plane)

// Copies the lane's frames to the bus.
DSP_INLINE void copy_lane(const struct Lane* RESTRICT lane, uint32_t tiles, GLOBAL real* RESTRICT left,
                          GLOBAL real* RESTRICT right) {
  const real* own_left = LANE_FRAMES(lane->left, 0);
  const real* own_right = LANE_FRAMES(lane->right, 0);
  VECTORISE for (uint32_t k = 0; k < tiles * TILE_SHARE; ++k) {
    left[k] = own_left[k];
    right[k] = own_right[k];
  }
}

// Writes the lane's frames to the bus, times the gain of `group` if that changes. Adds to the bus unless
// `first` is set. The lane's first frame is frame `chunk_frame` of the chunk.
DSP_INLINE void draw_lane(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station, uint32_t group,
                          const struct Lane* RESTRICT lane, uint32_t tiles, int32_t chunk_frame, int first,
                          GLOBAL real* RESTRICT left, GLOBAL real* RESTRICT right) {
  const struct GainLine gain = gain_line(shape, station, group);
  const real start = is_steady(station, group) ? REAL(1.0) : gain.start;
  const real* own_left = LANE_FRAMES(lane->left, 0);
  const real* own_right = LANE_FRAMES(lane->right, 0);
  VECTORISE for (uint32_t k = 0; k < tiles * TILE_SHARE; ++k) {
    const real level = FMA((real)(chunk_frame + (int32_t)k), gain.slope, start);
    left[k] = FMA(level, own_left[k], first ? REAL(0.0) : left[k]);
    right[k] = FMA(level, own_right[k], first ? REAL(0.0) : right[k]);
  }
}

// Adds kicks or swells, tile by tile.
DSP_INLINE void add_by_tiles(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station,
                             GLOBAL const PackedVoice* voices, GLOBAL const real* all_curves, uint32_t group,
                             uint32_t first_tile, uint32_t row, uint32_t tiles, GLOBAL real* left,
                             GLOBAL real* right) {
  const struct GainLine gain = gain_line(shape, station, group);
  for (uint32_t index = station->ends[group - 1u]; index < station->ends[group]; ++index) {
    GLOBAL const PackedVoice* voice = voices + index;
    GLOBAL const real* curves = all_curves + index * (kCurves * shape->curve_points);
    for (uint32_t t = 0; t < tiles; ++t) {
      const uint32_t tile = first_tile + t;
      const int32_t n = (int32_t)tile * kTileFrames - voice->start;
      if (!sounds(voice, tile, 1)) continue;
      const int32_t frame = (int32_t)(tile * kTileFrames + row * kRowFrames - station->first_frame);
      GLOBAL real* tile_left = left + t * TILE_SHARE;
      GLOBAL real* tile_right = right + t * TILE_SHARE;
      if (group == 2u) {
        add_kick(shape, voice, &gain, frame, n, row, tile_left, tile_right);
      } else {
        add_swell(shape, voice, curves, &gain, frame, n, tile, row, tile_left, tile_right);
      }
    }
  }
}

// Renders pads and leads, together unless the gain of either group changes in the chunk.
DSP_INLINE void add_tones(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station,
                          GLOBAL const PackedVoice* voices, GLOBAL const real* all_curves,
                          uint32_t first_tile, uint32_t row, uint32_t tiles, GLOBAL real* left,
                          GLOBAL real* right) {
  const int32_t frame = (int32_t)(first_tile * kTileFrames + row * kRowFrames - station->first_frame);
  const int apart = !is_steady(station, 0) || !is_steady(station, 1);
  struct Lane lane;
  add_pads(shape, voices, all_curves, station->ends[0], first_tile, row, tiles, &lane);
  if (apart) {
    draw_lane(shape, station, 0, &lane, tiles, frame, 1, left, right);
    clear_lane(&lane);
  }
  for (uint32_t index = station->ends[0]; index < station->ends[1]; ++index) {
    if (!sounds(voices + index, first_tile, tiles)) continue;
    add_lead(shape, voices + index, all_curves + index * (kCurves * shape->curve_points), first_tile, row,
             tiles, &lane);
  }
  if (apart) {
    draw_lane(shape, station, 1, &lane, tiles, frame, 0, left, right);
  } else {
    copy_lane(&lane, tiles, left, right);
  }
}

// Mixes a block: several tiles at a time, so that a voice's data are loaded once for all of them. `bus`
// starts with the block's first frame.
DSP_INLINE void mix_block(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station,
                          GLOBAL const PackedVoice* voices, GLOBAL const real* all_curves, GLOBAL real* bus,
                          uint32_t plane, uint32_t block, uint32_t lane) {
  const uint32_t first_tile = block * kBlockTiles + lane / kTileRows;
  const uint32_t row = lane % kTileRows;
  const uint32_t end_tile = (station->first_frame + shape->chunk_frames + kTileFrames - 1u) / kTileFrames;
  if (first_tile >= end_tile) return;
  uint32_t tiles = LANE_TILES;
  if (end_tile - first_tile < tiles) tiles = end_tile - first_tile;
  GLOBAL real* first = bus + lane * kRowFrames;
  GLOBAL real* sent_left = PLANE(first, SENT_LEFT);
  GLOBAL real* sent_right = PLANE(first, SENT_RIGHT);
  GLOBAL real* dry_left = PLANE(first, DRY_LEFT);
  GLOBAL real* dry_right = PLANE(first, DRY_RIGHT);
  add_tones(shape, station, voices, all_curves, first_tile, row, tiles, sent_left, sent_right);
  add_by_tiles(shape, station, voices, all_curves, 3, first_tile, row, tiles, sent_left, sent_right);
  VECTORISE for (uint32_t k = 0; k < tiles * TILE_SHARE; ++k) {
    dry_left[k] = sent_left[k];
    dry_right[k] = sent_right[k];
  }
  // Kicks bypass the reverb, which would turn them into a rumble.
  add_by_tiles(shape, station, voices, all_curves, 2, first_tile, row, tiles, dry_left, dry_right);
}

// Soft saturation: tanh(0.7 x), with x clamped to -8 .. 8, so that the result stays below 1. A minimax odd
// rational approximation (maximum error 4.3e-7, rounding included).
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

// Quantises to 16 bits with triangular dither of +-1 LSB (Lipshitz, Wannamaker and Vanderkooy, "Quantization
// and dither", JAES 40(5), 1992). The dither comes from the lower 16 bits of a hash of the frame number: a
// resolution of 1/256 LSB is enough, and one hash serves both sides. The sample is in the lower 16 bits of
// the result; the upper ones are unspecified.
DSP_INLINE uint32_t quantised(real x, uint32_t random) {
  const int32_t dither = (int32_t)(random & 0xffu) - (int32_t)(random >> 8 & 0xffu);
  return nearest_bits(FMA(x, FULL_SCALE, (real)dither * (REAL(1.0) / REAL(256.0))));
}

// Write frames [begin, end) of the chunk, interleaved: 16 bits, or floats without dither. `left` and `right`
// start with frame `begin`.
DSP_INLINE void finish_samples(GLOBAL const PackedStation* station, GLOBAL const real* left,
                               GLOBAL const real* right, GLOBAL int16_t* RESTRICT samples, int32_t begin,
                               int32_t end, uint32_t lane) {
  const uint32_t axis_frame = station->axis_frame;
  const uint32_t seed = station->dither_seed;
  VECTORISE for (int32_t frame = begin + (int32_t)lane; frame < end; frame += DSP_LANES) {
    const uint32_t random = hash((axis_frame + (uint32_t)frame) ^ seed);
    store_pair(samples, frame, quantised(saturated(left[frame - begin]), random),
               quantised(saturated(right[frame - begin]), random >> 16));
  }
}
DSP_INLINE void finish_mix(GLOBAL const real* left, GLOBAL const real* right, GLOBAL real* RESTRICT mix,
                           int32_t begin, int32_t end, uint32_t lane) {
  VECTORISE for (int32_t frame = begin + (int32_t)lane; frame < end; frame += DSP_LANES) {
    mix[2 * frame] = saturated(left[frame - begin]);
    mix[2 * frame + 1] = saturated(right[frame - begin]);
  }
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
