// SPDX-License-Identifier: MIT
// Pads: most of what a station sounds like, so all is done a row of frames at a time that can be. Of a tone
// the sine is two products a frame (voices.h); the saw is a straight line but near its edges, and the
// straight lines of all pads are added up before they are drawn.
#ifndef AURALIS_DSP_PADS_H
#define AURALIS_DSP_PADS_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/voices.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// What the straight saws of pads add up to: a square polynomial of a row's frames, for their levels are
// straight lines too.
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

// A pad where rows begin. Its level rises by `bends` of what it is there, a frame: off the straight line by
// less than -120 dB of full level where the next row begins.
struct PadRows {
  real left_sines[LANE_ROWS][LANE_TILES];
  real left_cosines[LANE_ROWS][LANE_TILES];
  real right_sines[LANE_ROWS][LANE_TILES];
  real right_cosines[LANE_ROWS][LANE_TILES];
  real levels[LANE_ROWS][LANE_TILES];
  real bends[LANE_TILES];
};

// Phase of its saw where the lane's first row begins.
DSP_INLINE uint32_t pad_saw_phase(GLOBAL const PackedVoice* voice, uint32_t tile, uint32_t row) {
  const uint32_t first = tile * kTileFrames + row * kRowFrames - (uint32_t)voice->start;
  return voice->second * first + hash(voice->seed + 1u);
}

DSP_INLINE void start_pad(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voice,
                          GLOBAL const real* curves, uint32_t tile, uint32_t row, struct PadRows* rows,
                          struct PadLines* lines) {
  GLOBAL const real* levels = CURVE(curves, LEVEL) + tile + 1;
  const uint32_t first = tile * kTileFrames + row * kRowFrames - (uint32_t)voice->start;
  const uint32_t increment = voice->increment;
  const uint32_t saw_increment = voice->second;
  const uint32_t phase = increment * first + voice->seed;
  const uint32_t saw_phase = pad_saw_phase(voice, tile, row);
  const real saw_slope = quarter_saw_slope(saw_increment);
  const real left_gain = voice->left;
  const real right_gain = voice->right;
  for (uint32_t q = 0; q < LANE_ROWS; ++q) {
    const real along = (real)(int32_t)((row + q) * kRowFrames) * (REAL(1.0) / kTileFrames);
    VECTORISE for (uint32_t t = 0; t < LANE_TILES; ++t) {
      const uint32_t frame = t * kTileFrames + q * kRowFrames;
      const real rise = levels[t + 1] - levels[t];
      const real bend = rise / (levels[t] + levels[t + 1] + REAL(1e-30)) * (REAL(2.0) / kTileFrames);
      const real level = FMA(rise, along, levels[t]);
      const real left_level = left_gain * level;
      const real right_level = right_gain * level;
      const real wave = sine(phase + increment * frame);
      const real other = sine(phase + increment * frame + QUARTER_TURN);
      rows->left_sines[q][t] = left_level * wave;
      rows->left_cosines[q][t] = left_level * other;
      rows->right_sines[q][t] = right_level * wave;
      rows->right_cosines[q][t] = right_level * other;
      rows->levels[q][t] = level;
      rows->bends[t] = bend;
      const real base = straight_saw(saw_phase + saw_increment * frame);
      const real linear = FMA(base, bend, saw_slope);
      const real square = saw_slope * bend;
      lines->left[0][q][t] = FMA(left_level, base, lines->left[0][q][t]);
      lines->left[1][q][t] = FMA(left_level, linear, lines->left[1][q][t]);
      lines->left[2][q][t] = FMA(left_level, square, lines->left[2][q][t]);
      lines->right[0][q][t] = FMA(right_level, base, lines->right[0][q][t]);
      lines->right[1][q][t] = FMA(right_level, linear, lines->right[1][q][t]);
      lines->right[2][q][t] = FMA(right_level, square, lines->right[2][q][t]);
    }
  }
}

DSP_INLINE void add_pad_waves(GLOBAL const DspShape* shape, GLOBAL const real* curves,
                              const struct PadRows* rows, real* RESTRICT left, real* RESTRICT right) {
  GLOBAL const real* step_sines = CURVE(curves, STEPS);
  GLOBAL const real* step_cosines = CURVE(curves, STEPS) + kRowFrames;
  for (uint32_t t = 0; t < LANE_TILES; ++t) {
    real sines[kRowFrames];
    real cosines[kRowFrames];
    const real bend = rows->bends[t];
    VECTORISE for (uint32_t j = 0; j < kRowFrames; ++j) {
      const real bent = FMA((real)(int32_t)j, bend, REAL(1.0));
      sines[j] = bent * step_sines[j];
      cosines[j] = bent * step_cosines[j];
    }
    for (uint32_t q = 0; q < LANE_ROWS; ++q) {
      real* RESTRICT row_left = left + (t * LANE_ROWS + q) * kRowFrames;
      real* RESTRICT row_right = right + (t * LANE_ROWS + q) * kRowFrames;
      const real left_sine = rows->left_sines[q][t];
      const real left_cosine = rows->left_cosines[q][t];
      const real right_sine = rows->right_sines[q][t];
      const real right_cosine = rows->right_cosines[q][t];
      VECTORISE for (uint32_t j = 0; j < kRowFrames; ++j) {
        row_left[j] = FMA(left_sine, cosines[j], FMA(left_cosine, sines[j], row_left[j]));
        row_right[j] = FMA(right_sine, cosines[j], FMA(right_cosine, sines[j], row_right[j]));
      }
    }
  }
}

// Only the rows that an edge of the saw touches: from 4 frames before them to 4 behind them.
DSP_INLINE void add_pad_edges(GLOBAL const PackedVoice* voice, uint32_t tile, uint32_t row,
                              const struct PadRows* rows, real* RESTRICT left, real* RESTRICT right) {
  const uint32_t increment = voice->second;
  const uint32_t phase = pad_saw_phase(voice, tile, row);
  const uint32_t last = phase + increment * (kRowFrames + 3);
  const uint32_t reach =
      increment < 0xffffffffu / (kRowFrames + 7) ? increment * (kRowFrames + 7) : 0xffffffffu;
  uint32_t touched = 0;
  VECTORISE for (uint32_t m = 0; m < LANE_TILES * LANE_ROWS; ++m) {
    touched |= last + increment * (m * kRowFrames) <= reach ? 1u << m : 0u;
  }
  const real slope = quarter_saw_slope(increment);
  const real steepness = voice->shape;
  for (; touched != 0u; touched &= touched - 1u) {
    const uint32_t m = lowest_bit(touched);
    const uint32_t t = m / LANE_ROWS;
    const real level = rows->levels[m % LANE_ROWS][t];
    const real bend = rows->bends[t];
    const real left_level = voice->left * level;
    const real right_level = voice->right * level;
    const uint32_t row_phase = phase + increment * (m * kRowFrames);
    const real base = straight_saw(row_phase);
    real* RESTRICT row_left = left + m * kRowFrames;
    real* RESTRICT row_right = right + m * kRowFrames;
    VECTORISE for (uint32_t j = 0; j < kRowFrames; ++j) {
      const real along = (real)(int32_t)j;
      const real off = quarter_saw(row_phase + increment * j, steepness) - FMA(along, slope, base);
      const real edge = off * FMA(along, bend, REAL(1.0));
      row_left[j] = FMA(left_level, edge, row_left[j]);
      row_right[j] = FMA(right_level, edge, row_right[j]);
    }
  }
}

DSP_INLINE void add_pad_lines(const struct PadLines* lines, real* RESTRICT left, real* RESTRICT right) {
  for (uint32_t t = 0; t < LANE_TILES; ++t) {
    for (uint32_t q = 0; q < LANE_ROWS; ++q) {
      real* RESTRICT row_left = left + (t * LANE_ROWS + q) * kRowFrames;
      real* RESTRICT row_right = right + (t * LANE_ROWS + q) * kRowFrames;
      const real left0 = lines->left[0][q][t];
      const real left1 = lines->left[1][q][t];
      const real left2 = lines->left[2][q][t];
      const real right0 = lines->right[0][q][t];
      const real right1 = lines->right[1][q][t];
      const real right2 = lines->right[2][q][t];
      VECTORISE for (uint32_t j = 0; j < kRowFrames; ++j) {
        const real along = (real)(int32_t)j;
        row_left[j] += FMA(along, FMA(along, left2, left1), left0);
        row_right[j] += FMA(along, FMA(along, right2, right1), right0);
      }
    }
  }
}

// The pads of a station in the tiles of a block that a lane has a part of: outside a voice its level is 0.
DSP_INLINE void add_pads(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voices,
                         GLOBAL const real* all_curves, uint32_t count, uint32_t tile, uint32_t row,
                         real* RESTRICT left, real* RESTRICT right) {
  struct PadLines lines;
  clear_lines(&lines);
  for (uint32_t i = 0; i < count; ++i) {
    GLOBAL const real* curves = all_curves + i * (kCurves * shape->curve_points);
    struct PadRows rows;
    start_pad(shape, voices + i, curves, tile, row, &rows, &lines);
    add_pad_waves(shape, curves, &rows, left, right);
    add_pad_edges(voices + i, tile, row, &rows, left, right);
  }
  add_pad_lines(&lines, left, right);
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
