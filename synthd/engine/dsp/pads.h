// SPDX-License-Identifier: MIT
// Pads: most of what a station sounds like. What they are is added up as polynomials (pad_sums.h), so a tone
// costs a few products a tile and not as many a frame; frames are made of the sums once. The edges of saws
// come on top (pad_saws.h).
#ifndef AURALIS_DSP_PADS_H
#define AURALIS_DSP_PADS_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/pad_sums.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// A pad too high for polynomials, or the reference's.
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

DSP_INLINE void draw_pads(struct PadSums* sums, struct PadSteps* steps, int in_parts, uint32_t row,
                          uint32_t tiles, int first, struct Lane* RESTRICT lane) {
  if (first) clear_lane(lane);
  (void)tiles;
  for (uint32_t j = 0; j < kRowFrames; ++j) {
    const real n = (real)(int32_t)(row * kRowFrames + j);
    const real x = (n - TILE_MIDDLE) * (REAL(2.0) / kTileFrames);
    const uint32_t behind = j / kHalfRow;  // steps lie only between the two half rows
    real left = polynomial(sums->tiles_left, x);
    real right = polynomial(sums->tiles_right, x);
    if (behind != 0u) {
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

// Half a row later than the middle and one as much earlier: even powers of x are the same for both, odd ones
// the opposite.
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

// Side `side` of tile t; `steps` add up from one half row of it to the next.
DSP_INLINE void draw_tile(real (*terms)[LANE_TILES], real (*steps)[4], uint32_t side, uint32_t t, int first,
                          real* RESTRICT frames) {
  const real8 upwards = upwards8(REAL(0.0));
  for (uint32_t h = 0; h < kTileRows; ++h) {
    const real8 x = (upwards + ((real)(int32_t)(h * kHalfRow) + REAL(0.5))) * (REAL(2.0) / kTileFrames);
    const uint32_t l = kTileRows + h;
    const uint32_t e = kTileRows - 1u - h;
    real8 later, earlier;
    polynomials(terms, t, x, &later, &earlier);
    later = fma8(eight(steps[l][2 * side + 1]), upwards + (real)(int32_t)(l * kHalfRow), later) +
            steps[l][2 * side];
    earlier = fma8(eight(steps[e][2 * side + 1]), upwards + (real)(int32_t)(e * kHalfRow), earlier) +
              steps[e][2 * side];
    store8(frames + l * kHalfRow, first ? later : later + load8(frames + l * kHalfRow));
    store8(frames + e * kHalfRow, first ? earlier : earlier + load8(frames + e * kHalfRow));
  }
}

DSP_INLINE void draw_part(real (*terms)[LANE_TILES], uint32_t t, real* RESTRICT frames) {
  const real8 upwards = upwards8(REAL(0.0));
  for (uint32_t h = 0; h < kTileRows / 2; ++h) {
    const real8 x = (upwards + ((real)(int32_t)(h * kHalfRow) + REAL(0.5))) * (REAL(2.0) / kPartFrames);
    real8 later, earlier;
    polynomials(terms, t, x, &later, &earlier);
    add_half(REAL(1.0), later, frames + (kTileRows / 2 + h) * kHalfRow);
    add_half(REAL(1.0), earlier, frames + (kTileRows / 2 - 1u - h) * kHalfRow);
  }
}

DSP_INLINE void draw_pads(struct PadSums* sums, struct PadSteps* steps, int in_parts, uint32_t row,
                          uint32_t tiles, int first, struct Lane* RESTRICT lane) {
  (void)row;
  if (first) {
    clear_halves(lane, 0, 1);
    clear_halves(lane, 1 + LANE_HALVES, LANE_WORDS / kHalfRow);
    if (tiles < LANE_TILES) clear_halves(lane, 1 + tiles * 2 * kTileRows, 1 + LANE_HALVES);
  }
  for (uint32_t t = 0; t < tiles; ++t) {
    const uint32_t half_row = t * 2 * kTileRows;
    real(*step)[4] = steps->sides + half_row;
    for (uint32_t h = 1; h < 2 * kTileRows; ++h) {
      for (uint32_t i = 0; i < 4u; ++i) step[h][i] += step[h - 1u][i];
    }
    draw_tile(sums->tiles_left, step, 0, t, first, LANE_FRAMES(lane->left, half_row));
    draw_tile(sums->tiles_right, step, 1, t, first, LANE_FRAMES(lane->right, half_row));
    if (!in_parts) continue;
    for (uint32_t q = 0; q < LANE_PARTS; ++q) {
      draw_part(sums->parts_left[q], t, LANE_FRAMES(lane->left, half_row + kTileRows * q));
      draw_part(sums->parts_right[q], t, LANE_FRAMES(lane->right, half_row + kTileRows * q));
    }
  }
}

#endif

// The pads of a station in the first `tiles` tiles of a block that a lane has a part of, as the first that
// the lane holds.
DSP_INLINE void add_pads(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voices,
                         GLOBAL const real* all_curves, uint32_t count, uint32_t tile, uint32_t row,
                         uint32_t tiles, struct Lane* RESTRICT lane) {
  struct PadSums sums;
  struct PadSteps steps;
  struct PadEdges edges;
  uint32_t next = 0;
  int in_frames = 0;
  int first = 1;
  do {  // as many pads as there is room for the edges of
    int in_parts = 0;
    edges.count = 0;
    clear_terms(sums.tiles_left);
    clear_terms(sums.tiles_right);
    clear_steps(&steps);
    for (; next < count && edges.count <= MOST_EDGES - 2 * EDGES_A_TIME; ++next) {
      GLOBAL const PackedVoice* voice = voices + next;
      if (!sounds(voice, tile, tiles)) continue;
      if (voice->increment > HIGHEST_OF_PARTS || HIGHEST_OF_PARTS == 0u) {
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
      GLOBAL const real* curves = all_curves + next * (kCurves * shape->curve_points);
      add_pad(voice, CURVE(curves, LEVEL) + tile + 1, CURVE(curves, STEPS), tile, row, &sums);
      find_edges(shape, voice, next, 0, tile, row, &edges);
      if (voice->increment > FEW_EDGES) find_edges(shape, voice, next, EDGES_A_TIME, tile, row, &edges);
    }
    for (uint32_t e = 0; e < edges.count; ++e) add_step(voices, all_curves, &edges, e, &steps);
    draw_pads(&sums, &steps, in_parts, row, tiles, first, lane);
    for (uint32_t e = 0; e < edges.count; ++e) add_edge(voices, all_curves, &edges, e, lane);
    first = 0;
  } while (next < count);
  if (!in_frames) return;
  for (uint32_t i = 0; i < count; ++i) {
    if (voices[i].increment <= HIGHEST_OF_PARTS && HIGHEST_OF_PARTS != 0u) continue;
    if (!sounds(voices + i, tile, tiles)) continue;
    add_pad_frames(voices + i, CURVE(all_curves + i * (kCurves * shape->curve_points), LEVEL) + tile + 1,
                   tile, row, tiles, lane);
  }
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
