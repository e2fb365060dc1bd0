// SPDX-License-Identifier: MIT
// The saws of pads: the straight lines between their edges, which are added up before they are drawn
// (pads.h), and what the edges add to those.
#ifndef AURALIS_DSP_PAD_SAWS_H
#define AURALIS_DSP_PAD_SAWS_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/voices.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// What the straight saws of pads add up to, and what belongs to the slopes of their levels: a quadratic of a
// row's frames, from its middle on.
struct PadLines {
  real left[3][LANE_ROWS][LANE_TILES];
  real right[3][LANE_ROWS][LANE_TILES];
};

DSP_INLINE void clear_lines(struct PadLines* lines) {
  for (uint32_t i = 0; i < 3u; ++i) {
    for (uint32_t q = 0; q < LANE_ROWS; ++q) {
      VECTORISE for (uint32_t t = 0; t < LANE_TILES; ++t) lines->left[i][q][t] = lines->right[i][q][t] =
          REAL(0.0);
    }
  }
}

DSP_INLINE void place_line(real left_gain, real right_gain, real flat, real linear, real square, uint32_t q,
                           uint32_t t, struct PadLines* RESTRICT lines) {
  lines->left[0][q][t] = FMA(left_gain, flat, lines->left[0][q][t]);
  lines->left[1][q][t] = FMA(left_gain, linear, lines->left[1][q][t]);
  lines->left[2][q][t] = FMA(left_gain, square, lines->left[2][q][t]);
  lines->right[0][q][t] = FMA(right_gain, flat, lines->right[0][q][t]);
  lines->right[1][q][t] = FMA(right_gain, linear, lines->right[1][q][t]);
  lines->right[2][q][t] = FMA(right_gain, square, lines->right[2][q][t]);
}

// Levels of a tone, in the middle of rows and how they rise a frame.
struct PadLevels {
  real middle[LANE_ROWS][LANE_TILES];
  real rise[LANE_TILES];
};

// Phase of its saw in the middle of the lane's first row.
DSP_INLINE uint32_t pad_saw_phase(GLOBAL const PackedVoice* voice, uint32_t tile, uint32_t row) {
  return middle_phase(voice, voice->second, tile, row) + hash(voice->seed + 1u);
}

// Only the rows that an edge of the saw touches: from 4 frames before them to 4 behind them.
DSP_INLINE void add_pad_edges(GLOBAL const PackedVoice* voice, uint32_t tile, uint32_t row, uint32_t tiles,
                              const struct PadLevels* own, struct Row* RESTRICT rows) {
  const uint32_t increment = voice->second;
  const uint32_t phase = pad_saw_phase(voice, tile, row);
  const uint32_t after_middle = phase + increment / 2u;
  const uint32_t last = after_middle + increment * (kHalfRow + 3);
  const uint32_t reach =
      increment < 0xffffffffu / (kRowFrames + 7) ? increment * (kRowFrames + 7) : 0xffffffffu;
  uint32_t touched = 0;
  VECTORISE for (uint32_t m = 0; m < LANE_TILES * LANE_ROWS; ++m) {
    touched |= last + increment * (m * kRowFrames) <= reach ? 1u << m : 0u;
  }
  if (tiles < LANE_TILES) touched &= (1u << (tiles * LANE_ROWS)) - 1u;
  const real slope = quarter_saw_slope(increment);
  const real steepness = voice->shape;
  const real left_gain = voice->left;
  const real right_gain = voice->right;
  for (; touched != 0u; touched &= touched - 1u) {
    const uint32_t m = lowest_bit(touched);
    const real level = own->middle[m % LANE_ROWS][m / LANE_ROWS];
    const real rise = own->rise[m / LANE_ROWS];
    const real base = straight_saw(phase + increment * (m * kRowFrames));
    const uint32_t middle = after_middle + increment * (m * kRowFrames);
    struct Row* RESTRICT sum = rows + m;
    VECTORISE for (uint32_t j = 0; j < kHalfRow; ++j) {
      const real along = (real)(int32_t)j + REAL(0.5);
      const real later = FMA(along, rise, level) *
                         (quarter_saw(middle + increment * j, steepness) - FMA(along, slope, base));
      const real earlier = FMA(-along, rise, level) *
                           (quarter_saw(middle - increment * (j + 1u), steepness) - FMA(-along, slope, base));
      sum->left_later[j] = FMA(left_gain, later, sum->left_later[j]);
      sum->left_earlier[j] = FMA(left_gain, earlier, sum->left_earlier[j]);
      sum->right_later[j] = FMA(right_gain, later, sum->right_later[j]);
      sum->right_earlier[j] = FMA(right_gain, earlier, sum->right_earlier[j]);
    }
  }
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
