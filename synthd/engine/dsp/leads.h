// SPDX-License-Identifier: MIT
// Leads: waves with harmonics, turned from the middle of each row to both sides.
#ifndef AURALIS_DSP_LEADS_H
#define AURALIS_DSP_LEADS_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/voices.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// What a lead's waves are in the middle of the rows of a lane. The vibrato turns a tile's steps by `turns`
// radians a frame beside the voice's own.
struct LeadRows {
  real sines[LANE_ROWS][LANE_TILES];
  real cosines[LANE_ROWS][LANE_TILES];
  real turns[LANE_TILES];
};

DSP_INLINE void start_lead(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voice,
                           GLOBAL const real* curves, uint32_t tile, uint32_t row, struct LeadRows* rows) {
  GLOBAL const real* swings = CURVE(curves, SWING) + tile + 1;
  const uint32_t first = tile * kTileFrames - (uint32_t)voice->start;
  const uint32_t increment = voice->increment;
  const uint32_t seed = voice->seed;
  for (uint32_t q = 0; q < LANE_ROWS; ++q) {
    const uint32_t middle = (row + q) * kRowFrames + kHalfRow - 1u;
    VECTORISE for (uint32_t t = 0; t < LANE_TILES; ++t) {
      const int32_t swung = (int32_t)((swings[t + 1] - swings[t]) * (TURN / kTileFrames));
      const uint32_t turned = increment + (uint32_t)swung;
      const uint32_t at = increment * (first + t * kTileFrames) + seed +
                          (uint32_t)(int32_t)(swings[t] * TURN) + turned * middle + turned / 2u;
      rows->sines[q][t] = sine(at);
      rows->cosines[q][t] = sine(at + QUARTER_TURN);
      rows->turns[t] = (real)swung * (REAL(6.2831853) / TURN);
    }
  }
}

// The voice's steps, turned by so little more that two terms of sine and cosine do.
DSP_INLINE void turn_steps(GLOBAL const real* steps, real turn, real* RESTRICT sines,
                           real* RESTRICT cosines) {
  VECTORISE for (uint32_t j = 0; j < kHalfRow; ++j) {
    const real x = ((real)(int32_t)j + REAL(0.5)) * turn;
    const real y = x * x;
    const real sine_x = FMA(y * x, REAL(-1.0) / REAL(6.0), x);
    const real cosine_x = FMA(y, REAL(-0.5), REAL(1.0));
    sines[j] = sine_of_sum(steps[kStepSines + j], steps[kStepCosines + j], sine_x, cosine_x);
    cosines[j] = cosine_of_sum(steps[kStepSines + j], steps[kStepCosines + j], sine_x, cosine_x);
  }
}

// All harmonics at once, each `tone` times the one below it: sin(x) / (1 - 2 tone cos(x) + tone^2) (Moorer,
// "The synthesis of complex audio spectra by means of discrete summation formulas", JAES 24(9), 1976). At a
// tone of one half what would fold back lies below -100 dB.
DSP_INLINE real harmonics(real wave, real other, real tone) {
  return wave / FMA(tone, FMA(REAL(-2.0), other, tone), REAL(1.0));
}

// In the first `tiles` tiles of a block that a lane has a part of.
DSP_INLINE void add_lead(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voice,
                         GLOBAL const real* curves, uint32_t tile, uint32_t row, uint32_t tiles,
                         struct Row* RESTRICT rows) {
  GLOBAL const real* levels = CURVE(curves, LEVEL) + tile + 1;
  GLOBAL const real* tones = CURVE(curves, TONE) + tile + 1;
  const real left_gain = voice->left;
  const real right_gain = voice->right;
  struct LeadRows own;
  start_lead(shape, voice, curves, tile, row, &own);
  for (uint32_t t = 0; t < tiles; ++t) {
    real sines[kHalfRow];
    real cosines[kHalfRow];
    turn_steps(CURVE(curves, STEPS), own.turns[t], sines, cosines);
    const real level_slope = (levels[t + 1] - levels[t]) * (REAL(1.0) / kTileFrames);
    const real tone_slope = (tones[t + 1] - tones[t]) * (REAL(1.0) / kTileFrames);
    for (uint32_t q = 0; q < LANE_ROWS; ++q) {
      const real a = own.sines[q][t];
      const real b = own.cosines[q][t];
      const real before = (real)(int32_t)((row + q) * kRowFrames) + ROW_MIDDLE;
      const real level = FMA(before, level_slope, levels[t]);
      const real tone = FMA(before, tone_slope, tones[t]);
      struct Row* RESTRICT sum = rows + (t * LANE_ROWS + q);
      VECTORISE for (uint32_t j = 0; j < kHalfRow; ++j) {
        const real along = (real)(int32_t)j + REAL(0.5);
        const real later = FMA(along, level_slope, level) *
                           harmonics(sine_of_sum(a, b, sines[j], cosines[j]),
                                     cosine_of_sum(a, b, sines[j], cosines[j]), FMA(along, tone_slope, tone));
        const real earlier =
            FMA(-along, level_slope, level) * harmonics(sine_of_sum(a, b, -sines[j], cosines[j]),
                                                        cosine_of_sum(a, b, -sines[j], cosines[j]),
                                                        FMA(-along, tone_slope, tone));
        sum->left_later[j] = FMA(left_gain, later, sum->left_later[j]);
        sum->left_earlier[j] = FMA(left_gain, earlier, sum->left_earlier[j]);
        sum->right_later[j] = FMA(right_gain, later, sum->right_later[j]);
        sum->right_earlier[j] = FMA(right_gain, earlier, sum->right_earlier[j]);
      }
    }
  }
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
