// SPDX-License-Identifier: MIT
// Pads: most of what a station sounds like, so all is done a row of frames at a time that can be. A sine is
// made of its cosine and sine from the middle of a row on: sin(a + b) = sin(a) cos(b) + cos(a) sin(b), the
// first of which is the same to either side and the second the opposite, so that two frames cost two
// products. A saw is a straight line but near its edges (pad_saws.h). The lines of all pads are added up
// before they are drawn, and so are both halves of their sines.
#ifndef AURALIS_DSP_PADS_H
#define AURALIS_DSP_PADS_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/pad_saws.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// Waves that are added at a time, so that sums stay in registers: no more than what is known of them fits in
// the nearest cache, and at least a tone's two.
#if DSP_LANES > 1
#define PAD_GROUP 2
#define PAD_ROWS 1
#else
#define PAD_GROUP 24
#define PAD_ROWS 2
#endif

// A group's sines in the middle of rows: how much of the steps' cosines and sines they have.
struct PadWaves {
  real left_cosines[PAD_GROUP][LANE_ROWS][LANE_TILES];
  real left_sines[PAD_GROUP][LANE_ROWS][LANE_TILES];
  real right_cosines[PAD_GROUP][LANE_ROWS][LANE_TILES];
  real right_sines[PAD_GROUP][LANE_ROWS][LANE_TILES];
  real8 cosines[PAD_GROUP];  // their steps
  real8 sines[PAD_GROUP];
};

DSP_INLINE void place_wave(real left_gain, real right_gain, real cosines, real sines, uint32_t place,
                           uint32_t q, uint32_t t, struct PadWaves* RESTRICT waves) {
  waves->left_cosines[place][q][t] = left_gain * cosines;
  waves->left_sines[place][q][t] = left_gain * sines;
  waves->right_cosines[place][q][t] = right_gain * cosines;
  waves->right_sines[place][q][t] = right_gain * sines;
}

// Where its level rises by r a frame, a tone of w radians a frame is r x (sin(a) cos(w x) + cos(a) sin(w x))
// stronger x frames from the middle. To the fifth and the fourth power of x that needs no wave of its own,
// for x sin(w x) = 4/w (1 - cos(w x)) - w x^2 and x cos(w x) = 3/w sin(w x) - 2 x: the tone's own steps once
// more, and lines. So it is done up to this increment, 1.1 kHz at 44.1 kHz, where at the steepest attack -108
// dB of full level are missing; the reference folds no tone.
#ifdef DSP_DOUBLE
#define HIGHEST_FOLDED 0u
#else
#define HIGHEST_FOLDED 110000000u
#endif

// The wave of the slope of a tone above that.
DSP_INLINE void start_pad_slope(GLOBAL const PackedVoice* voice, GLOBAL const real* steps, uint32_t tile,
                                uint32_t row, const struct PadLevels* own, uint32_t place,
                                struct PadWaves* RESTRICT waves) {
  const uint32_t phase = middle_phase(voice, voice->increment, tile, row) + voice->seed;
  for (uint32_t q = 0; q < LANE_ROWS; ++q) {
    for (uint32_t t = 0; t < LANE_TILES; ++t) {
      const uint32_t at = phase + voice->increment * (uint32_t)(t * kTileFrames + q * kRowFrames);
      const real rise = own->rise[t];
      place_wave(voice->left, voice->right, rise * sine(at + QUARTER_TURN), rise * sine(at), place, q, t,
                 waves);
    }
  }
  waves->cosines[place] = UPWARDS8(REAL(0.5)) * LOAD8(steps + kStepSines);
  waves->sines[place] = UPWARDS8(REAL(0.5)) * LOAD8(steps + kStepCosines);
}

DSP_INLINE void start_pad(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voice,
                          GLOBAL const real* curves, uint32_t tile, uint32_t row, uint32_t place,
                          struct PadWaves* RESTRICT waves, struct PadLevels* RESTRICT own,
                          struct PadLines* RESTRICT lines) {
  GLOBAL const real* levels = CURVE(curves, LEVEL) + tile + 1;
  const real row_sine = CURVE(curves, STEPS)[kRowSine];
  const real row_cosine = CURVE(curves, STEPS)[kRowCosine];
  const uint32_t increment = voice->increment;
  const uint32_t phase = middle_phase(voice, increment, tile, row) + voice->seed;
  const uint32_t saw_increment = voice->second;
  const uint32_t saw_phase = pad_saw_phase(voice, tile, row);
  const real saw_slope = quarter_saw_slope(saw_increment);
  const real turn = (real)increment * (REAL(6.2831853) / TURN);
  const real folded = increment <= HIGHEST_FOLDED ? REAL(1.0) : REAL(0.0);
  const real folded_lift = folded / most(turn, REAL(1e-6));
  const real left_gain = voice->left;
  const real right_gain = voice->right;
  waves->cosines[place] = LOAD8(CURVE(curves, STEPS) + kStepCosines);
  waves->sines[place] = LOAD8(CURVE(curves, STEPS) + kStepSines);
  real sines[LANE_TILES];
  real cosines[LANE_TILES];
  real lifts[LANE_TILES];    // where the slope is folded, rise / w: how much more of the steps there is
  real squares[LANE_TILES];  // what the slope makes of the saw's line, of the frame squared
  real falls[LANE_TILES];    // where the slope is folded, -w rise: of the frame squared and the cosine
  VECTORISE for (uint32_t t = 0; t < LANE_TILES; ++t) {
    sines[t] = sine(phase + increment * (t * kTileFrames));
    cosines[t] = sine(phase + increment * (t * kTileFrames) + QUARTER_TURN);
    own->rise[t] = (levels[t + 1] - levels[t]) * (REAL(1.0) / kTileFrames);
    lifts[t] = own->rise[t] * folded_lift;
    squares[t] = own->rise[t] * saw_slope;
    falls[t] = own->rise[t] * -folded * turn;
  }
  for (uint32_t q = 0; q < LANE_ROWS; ++q) {
    const real along = (real)(int32_t)((row + q) * kRowFrames) + ROW_MIDDLE;
    VECTORISE for (uint32_t t = 0; t < LANE_TILES; ++t) {
      const real s = sines[t];
      const real c = cosines[t];
      sines[t] = sine_of_sum(s, c, row_sine, row_cosine);
      cosines[t] = cosine_of_sum(s, c, row_sine, row_cosine);
      const real rise = own->rise[t];
      const real level = FMA(rise, along, levels[t]);
      own->middle[q][t] = level;
      const real even = lifts[t] * c;
      const real odd = lifts[t] * s;
      place_wave(left_gain, right_gain, FMA(REAL(-4.0), even, level * s), FMA(REAL(3.0), odd, level * c),
                 place, q, t, waves);
      const real base =
          straight_saw(saw_phase + saw_increment * (uint32_t)(t * kTileFrames + q * kRowFrames));
      const real flat = FMA(level, base, REAL(4.0) * even);
      const real linear = FMA(level, saw_slope, rise * FMA(REAL(-2.0) * folded, s, base));
      place_line(left_gain, right_gain, flat, linear, FMA(falls[t], c, squares[t]), q, t, lines);
    }
  }
}

// The sines of all pads in a row: what is the same to either side of its middle, and what is the opposite.
struct PadRow {
  real8 left_even;
  real8 left_odd;
  real8 right_even;
  real8 right_odd;
};

DSP_INLINE void add_pad_wave(const struct PadWaves* waves, uint32_t i, uint32_t m, const real8* cosines,
                             const real8* sines, struct PadRow* sum) {
  const uint32_t t = m / LANE_ROWS;
  const uint32_t q = m % LANE_ROWS;
  add_product(&sum->left_even, waves->left_cosines[i][q][t], cosines);
  add_product(&sum->left_odd, waves->left_sines[i][q][t], sines);
  add_product(&sum->right_even, waves->right_cosines[i][q][t], cosines);
  add_product(&sum->right_odd, waves->right_sines[i][q][t], sines);
}

DSP_INLINE void add_pad_waves(const struct PadWaves* RESTRICT waves, uint32_t count, uint32_t tiles,
                              struct PadRow* RESTRICT sums) {
  for (uint32_t m = 0; m < tiles * LANE_ROWS; m += PAD_ROWS) {
    struct PadRow sum = sums[m];
#if PAD_ROWS > 1
    struct PadRow next = sums[m + 1u];
#endif
    for (uint32_t i = 0; i < count; ++i) {
      const real8 cosines = waves->cosines[i];
      const real8 sines = waves->sines[i];
      add_pad_wave(waves, i, m, &cosines, &sines, &sum);
#if PAD_ROWS > 1
      add_pad_wave(waves, i, m + 1u, &cosines, &sines, &next);
#endif
    }
    sums[m] = sum;
#if PAD_ROWS > 1
    sums[m + 1u] = next;
#endif
  }
}

// Adds what a side's pads come to in a row.
DSP_INLINE void draw_pad_row(const real8* even_waves, const real8* odd_waves, real flat, real linear,
                             real square, real* RESTRICT later, real* RESTRICT earlier) {
  const real8 along = UPWARDS8(REAL(0.5));
  const real8 squared = along * along;
  real8 even = *even_waves + EIGHT(flat);
  real8 odd = *odd_waves;
  add_product(&even, square, &squared);
  add_product(&odd, linear, &along);
  STORE8(later, LOAD8(later) + (even + odd));
  STORE8(earlier, LOAD8(earlier) + (even - odd));
}

DSP_INLINE void draw_pads(const struct PadRow* sums, const struct PadLines* lines, uint32_t tiles,
                          struct Row* RESTRICT rows) {
  for (uint32_t m = 0; m < tiles * LANE_ROWS; ++m) {
    const uint32_t t = m / LANE_ROWS;
    const uint32_t q = m % LANE_ROWS;
    draw_pad_row(&sums[m].left_even, &sums[m].left_odd, lines->left[0][q][t], lines->left[1][q][t],
                 lines->left[2][q][t], rows[m].left_later, rows[m].left_earlier);
    draw_pad_row(&sums[m].right_even, &sums[m].right_odd, lines->right[0][q][t], lines->right[1][q][t],
                 lines->right[2][q][t], rows[m].right_later, rows[m].right_earlier);
  }
}

// The pads of a station in the first `tiles` tiles of a block that a lane has a part of.
DSP_INLINE void add_pads(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voices,
                         GLOBAL const real* all_curves, uint32_t count, uint32_t tile, uint32_t row,
                         uint32_t tiles, struct Row* RESTRICT rows) {
  struct PadLines lines;
  clear_lines(&lines);
  struct PadRow sums[LANE_TILES * LANE_ROWS];
  for (uint32_t m = 0; m < LANE_TILES * LANE_ROWS; ++m) {
    sums[m].left_even = sums[m].left_odd = sums[m].right_even = sums[m].right_odd = EIGHT(REAL(0.0));
  }
  struct PadWaves waves;
  uint32_t grouped = 0;
  for (uint32_t i = 0; i < count; ++i) {
    GLOBAL const real* curves = all_curves + i * (kCurves * shape->curve_points);
    if (sounds(voices + i, tile, tiles)) {
      struct PadLevels own;
      start_pad(shape, voices + i, curves, tile, row, grouped++, &waves, &own, &lines);
      if (voices[i].increment > HIGHEST_FOLDED) {
        start_pad_slope(voices + i, CURVE(curves, STEPS), tile, row, &own, grouped++, &waves);
      }
      add_pad_edges(voices + i, tile, row, tiles, &own, rows);
    }
    if (grouped + 1u >= PAD_GROUP || i + 1u == count) {
      add_pad_waves(&waves, grouped, tiles, sums);
      grouped = 0;
    }
  }
  draw_pads(sums, &lines, tiles, rows);
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
