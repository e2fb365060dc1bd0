// SPDX-License-Identifier: MIT
// Pads, the bulk of a station's sound. Tones are summed as polynomials (pad_sums.h), so that a tone costs a
// few multiplications per tile instead of per frame; the sums are evaluated once per frame. The edges of saws
// are added separately (pad_saws.h).
#ifndef AURALIS_DSP_PADS_H
#define AURALIS_DSP_PADS_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/pad_sums.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// Adds a pad frame by frame: for pitches too high for polynomials, and for the reference.
DSP_INLINE void add_pad_frames(GLOBAL const PackedVoice* voice, GLOBAL const real* levels, uint32_t tile,
                               uint32_t row, uint32_t tiles, struct Lane* RESTRICT lane) {
  const uint32_t increment = voice->increment;
  const uint32_t saw_increment = voice->second;
  const real steepness = voice->shape;
  const real left_gain = voice->left;
  const real right_gain = voice->right;
  for (uint32_t t = 0; t < tiles; ++t) {
    const uint32_t n = (tile + t) * kTileFrames + row * kRowFrames - (uint32_t)voice->start;
    const uint32_t phase = increment * n + voice->seed;
    const uint32_t saw_phase = pad_saw_phase(voice, tile + t, row, 0);
    const real rise = (levels[t + 1u] - levels[t]) * (REAL(1.0) / kTileFrames);
    const real level = FMA(rise, (real)(int32_t)(row * kRowFrames), levels[t]);
    real* RESTRICT left = LANE_FRAMES(lane->left, t * 2u * LANE_ROWS);
    real* RESTRICT right = LANE_FRAMES(lane->right, t * 2u * LANE_ROWS);
    VECTORISE for (uint32_t k = 0; k < TILE_SHARE; ++k) {
      const real wave = FMA((real)(int32_t)k, rise, level) *
                        (sine(phase + increment * k) + quarter_saw(saw_phase + saw_increment * k, steepness));
      left[k] = FMA(left_gain, wave, left[k]);
      right[k] = FMA(right_gain, wave, right[k]);
    }
  }
}

#if DSP_LANES > 1

DSP_INLINE real polynomial(real (*terms)[LANE_TILES], real x) {
  real sum = terms[kPadTerms - 1][0];
  for (uint32_t k = kPadTerms - 1; k > 0u; --k) sum = FMA(sum, x, terms[k - 1u][0]);
  return sum;
}

// Evaluates the sums and adds them to the lane's row of a tile.
DSP_INLINE void draw_pads(struct PadSums* sums, struct PadSteps* steps, int in_parts, uint32_t row,
                          struct Lane* RESTRICT lane) {
  for (uint32_t j = 0; j < kRowFrames; ++j) {
    const real n = (real)(int32_t)(row * kRowFrames + j);
    const real x = (n - TILE_MIDDLE) * (REAL(2.0) / kTileFrames);
    real left = polynomial(sums->tiles_left, x);
    real right = polynomial(sums->tiles_right, x);
    if (j >= kHalfRow) {  // steps take effect between the two half rows
      left += FMA(steps->sides[1][1], n, steps->sides[1][0]);
      right += FMA(steps->sides[1][3], n, steps->sides[1][2]);
    }
    if (in_parts) {
      const real part_n = (real)(int32_t)((row % (kTileRows / 2)) * kRowFrames + j);
      const real part_x = (part_n - PART_MIDDLE) * (REAL(2.0) / kPartFrames);
      left += polynomial(sums->parts_left[0], part_x);
      right += polynomial(sums->parts_right[0], part_x);
    }
    LANE_FRAMES(lane->left, 0)[j] += left;
    LANE_FRAMES(lane->right, 0)[j] += right;
  }
}

#else

// Evaluates the polynomial for half a row after the middle and for the mirrored one before it: even powers of
// x are equal in both, odd ones have the opposite sign.
DSP_INLINE void polynomials(real (*terms)[LANE_TILES], uint32_t t, real8 x, real8* later, real8* earlier) {
  const real8 y = x * x;
  const real8 even = fma8(fma8(fma8(fma8(eight(terms[8][t]), y, eight(terms[6][t])), y, eight(terms[4][t])),
                               y, eight(terms[2][t])),
                          y, eight(terms[0][t]));
  const real8 odd = x * fma8(fma8(fma8(eight(terms[7][t]), y, eight(terms[5][t])), y, eight(terms[3][t])), y,
                             eight(terms[1][t]));
  *later = even + odd;
  *earlier = reversed8(even - odd);
}

// Evaluates one side (0 left, 1 right) of tile t and adds it to `frames`. `steps` are the accumulated lines
// of each half row.
DSP_INLINE void draw_tile(real (*terms)[LANE_TILES], real (*steps)[4], uint32_t side, uint32_t t,
                          real* RESTRICT frames) {
  const real8 upwards = upwards8(REAL(0.0));
  for (uint32_t h = 0; h < kTileRows; ++h) {
    const real8 x = (upwards + ((real)(int32_t)(h * kHalfRow) + REAL(0.5))) * (REAL(2.0) / kTileFrames);
    const uint32_t l = kTileRows + h;
    const uint32_t e = kTileRows - 1u - h;
    real8 later, earlier;
    polynomials(terms, t, x, &later, &earlier);
    later = fma8(eight(steps[l][2 * side + 1]), upwards + (real)(int32_t)(l * kHalfRow), later);
    earlier = fma8(eight(steps[e][2 * side + 1]), upwards + (real)(int32_t)(e * kHalfRow), earlier);
    store8(frames + l * kHalfRow, load8(frames + l * kHalfRow) + (later + steps[l][2 * side]));
    store8(frames + e * kHalfRow, load8(frames + e * kHalfRow) + (earlier + steps[e][2 * side]));
  }
}

#define PART_HALVES (kPartFrames / kHalfRow)

DSP_INLINE void draw_part(real (*terms)[LANE_TILES], uint32_t t, real* RESTRICT frames) {
  const real8 upwards = upwards8(REAL(0.0));
  for (uint32_t h = 0; h < PART_HALVES / 2; ++h) {
    const real8 x = (upwards + ((real)(int32_t)(h * kHalfRow) + REAL(0.5))) * (REAL(2.0) / kPartFrames);
    real8 later, earlier;
    polynomials(terms, t, x, &later, &earlier);
    add_half(REAL(1.0), later, frames + (PART_HALVES / 2 + h) * kHalfRow);
    add_half(REAL(1.0), earlier, frames + (PART_HALVES / 2 - 1u - h) * kHalfRow);
  }
}

// Evaluates the sums and adds them to the lane's first `tiles` tiles.
DSP_INLINE void draw_pads(struct PadSums* sums, struct PadSteps* steps, int in_parts, uint32_t tiles,
                          struct Lane* RESTRICT lane) {
  for (uint32_t t = 0; t < tiles; ++t) {
    const uint32_t half_row = t * 2 * kTileRows;
    real(*step)[4] = steps->sides + half_row;
    for (uint32_t h = 1; h < 2 * kTileRows; ++h) {
      for (uint32_t i = 0; i < 4u; ++i) step[h][i] += step[h - 1u][i];
    }
    draw_tile(sums->tiles_left, step, 0, t, LANE_FRAMES(lane->left, half_row));
    draw_tile(sums->tiles_right, step, 1, t, LANE_FRAMES(lane->right, half_row));
    if (!in_parts) continue;
    for (uint32_t q = 0; q < LANE_PARTS; ++q) {
      draw_part(sums->parts_left[q], t, LANE_FRAMES(lane->left, half_row + q * PART_HALVES));
      draw_part(sums->parts_right[q], t, LANE_FRAMES(lane->right, half_row + q * PART_HALVES));
    }
  }
}

#endif

// Clears the lane, then renders the pads of a station in its first `tiles` tiles. The order of every sum is
// fixed: samples do not depend on where the block starts.
DSP_INLINE void add_pads(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voices,
                         GLOBAL const real* all_curves, uint32_t count, uint32_t tile, uint32_t row,
                         uint32_t tiles, struct Lane* RESTRICT lane) {
  struct PadSums sums;
  struct PadSteps steps;
  struct PadEdges edges;
  int in_parts = 0;
  int in_frames = 0;
  edges.count = 0;
  clear_lane(lane);
  clear_steps(&steps);
  clear_terms(sums.tiles_left);
  clear_terms(sums.tiles_right);
  for (uint32_t i = 0; i < count; ++i) {
    GLOBAL const PackedVoice* voice = voices + i;
    if (!sounds(voice, tile, tiles)) continue;
    if (!is_polynomial(voice->increment)) {
      in_frames = 1;
      continue;
    }
    if (voice->increment > HIGHEST_OF_TILES && !in_parts) {
      in_parts = 1;
      for (uint32_t q = 0; q < LANE_PARTS; ++q) {
        clear_terms(sums.parts_left[q]);
        clear_terms(sums.parts_right[q]);
      }
    }
    GLOBAL const real* curves = all_curves + i * (kCurves * shape->curve_points);
    add_pad(voice, CURVE(curves, LEVEL) + tile + 1, CURVE(curves, STEPS), tile, row, &sums);
    find_edges(shape, voice, i, 0, tile, row, &edges);
    if (voice->increment > HIGHEST_OF_FEW_EDGES) {
      find_edges(shape, voice, i, EDGES_A_TIME, tile, row, &edges);
    }
    if (edges.count > MOST_EDGES) draw_edges(voices, all_curves, &edges, &steps, lane);
  }
  draw_edges(voices, all_curves, &edges, &steps, lane);
#if DSP_LANES > 1
  draw_pads(&sums, &steps, in_parts, row, lane);
#else
  draw_pads(&sums, &steps, in_parts, tiles, lane);
#endif
  if (!in_frames) return;
  for (uint32_t i = 0; i < count; ++i) {
    if (is_polynomial(voices[i].increment) || !sounds(voices + i, tile, tiles)) continue;
    add_pad_frames(voices + i, CURVE(all_curves + i * (kCurves * shape->curve_points), LEVEL) + tile + 1,
                   tile, row, tiles, lane);
  }
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
