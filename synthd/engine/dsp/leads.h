// SPDX-License-Identifier: MIT
// Leads: waves with harmonics. Sine and cosine are computed in the middle of each row and rotated outwards to
// the row's other frames, by angle addition.
#ifndef AURALIS_DSP_LEADS_H
#define AURALIS_DSP_LEADS_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/voices.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// State of a lead in the middle of each row of a lane, and the change per frame of its level, of its
// brightness and, by the vibrato, of its phase: `turns` is in radians, relative to the voice's increment.
struct LeadRows {
  real sines[LANE_ROWS][LANE_TILES];
  real cosines[LANE_ROWS][LANE_TILES];
  real levels[LANE_ROWS][LANE_TILES];
  real tones[LANE_ROWS][LANE_TILES];
  real turns[LANE_TILES];
  real level_rises[LANE_TILES];
  real tone_rises[LANE_TILES];
};

DSP_INLINE void start_lead(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voice,
                           GLOBAL const real* curves, uint32_t tile, uint32_t row,
                           struct LeadRows* RESTRICT rows) {
  GLOBAL const real* levels = CURVE(curves, LEVEL) + tile + 1;
  GLOBAL const real* tones = CURVE(curves, TONE) + tile + 1;
  GLOBAL const real* swings = CURVE(curves, SWING) + tile + 1;
  const uint32_t increment = voice->increment;
  const uint32_t first = increment * (tile * kTileFrames - (uint32_t)voice->start) + voice->seed;
  uint32_t phases[LANE_TILES];
  uint32_t increments[LANE_TILES];
  VECTORISE for (uint32_t t = 0; t < LANE_TILES; ++t) {
    const int32_t swung = (int32_t)((swings[t + 1] - swings[t]) * (TURN / kTileFrames));
    increments[t] = increment + (uint32_t)swung;
    phases[t] =
        first + increment * (t * kTileFrames) + (uint32_t)(int32_t)(swings[t] * TURN) + increments[t] / 2u;
    rows->turns[t] = (real)swung * (REAL(6.2831853) / TURN);
    rows->level_rises[t] = (levels[t + 1] - levels[t]) * (REAL(1.0) / kTileFrames);
    rows->tone_rises[t] = (tones[t + 1] - tones[t]) * (REAL(1.0) / kTileFrames);
  }
  for (uint32_t q = 0; q < LANE_ROWS; ++q) {
    const uint32_t first_frame = (row + q) * kRowFrames;
    const real middle = (real)(int32_t)first_frame + ROW_MIDDLE;
    VECTORISE for (uint32_t t = 0; t < LANE_TILES; ++t) {
      const uint32_t phase = phases[t] + increments[t] * (first_frame + kHalfRow - 1u);
      rows->sines[q][t] = sine(phase);
      rows->cosines[q][t] = sine(phase + QUARTER_TURN);
      rows->levels[q][t] = FMA(middle, rows->level_rises[t], levels[t]);
      rows->tones[q][t] = FMA(middle, rows->tone_rises[t], tones[t]);
    }
  }
}

// Divisor of the closed form for all harmonics, each `tone` times the one below it: sin(x) / (1 - 2 tone
// cos(x) + tone^2) (Moorer, "The synthesis of complex audio spectra by means of discrete summation formulas",
// JAES 24(9), 1976). With a tone of one half, aliasing is below -100 dB.
DSP_INLINE real8 harmonics_divisor(real8 cosine, real8 tone) {
  return fma8(tone, fma8(eight(REAL(-2.0)), cosine, tone), eight(REAL(1.0)));
}

// Adds the lead in the first `tiles` tiles of the lane.
DSP_INLINE void add_lead(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voice,
                         GLOBAL const real* curves, uint32_t tile, uint32_t row, uint32_t tiles,
                         struct Lane* RESTRICT lane) {
  const real left_gain = voice->left;
  const real right_gain = voice->right;
  const real8 along = upwards8(REAL(0.5));
  const real8 step_sines = load8(CURVE(curves, STEPS) + kStepSines);
  const real8 step_cosines = load8(CURVE(curves, STEPS) + kStepCosines);
  struct LeadRows own;
  start_lead(shape, voice, curves, tile, row, &own);
  for (uint32_t t = 0; t < tiles; ++t) {
    // Rotate the voice's steps by the vibrato: so small an angle that two Taylor terms are enough.
    const real8 turn = along * own.turns[t];
    const real8 squared = turn * turn;
    const real8 turn_sine = fma8(squared * turn, eight(REAL(-1.0) / REAL(6.0)), turn);
    const real8 turn_cosine = fma8(squared, eight(REAL(-0.5)), eight(REAL(1.0)));
    const real8 sines = fma8(step_sines, turn_cosine, step_cosines * turn_sine);
    const real8 cosines = fma8(step_cosines, turn_cosine, -step_sines * turn_sine);
    const real8 level_rise = along * own.level_rises[t];
    const real8 tone_rise = along * own.tone_rises[t];
    for (uint32_t q = 0; q < LANE_ROWS; ++q) {
      const real8 level = eight(own.levels[q][t]);
      const real8 tone = eight(own.tones[q][t]);
      const real8 a = eight(own.sines[q][t]);
      const real8 b = eight(own.cosines[q][t]);
      const real8 even = a * cosines;
      const real8 odd = b * sines;
      const real8 even_cosine = b * cosines;
      const real8 odd_cosine = a * sines;
      const real8 later_divisor = harmonics_divisor(even_cosine - odd_cosine, tone + tone_rise);
      const real8 earlier_divisor = harmonics_divisor(even_cosine + odd_cosine, tone - tone_rise);
      const real8 later = (level + level_rise) * (even + odd) / later_divisor;
      const real8 earlier = reversed8((level - level_rise) * (even - odd) / earlier_divisor);
      real* RESTRICT left = LANE_FRAMES(lane->left, (t * LANE_ROWS + q) * 2u);
      real* RESTRICT right = LANE_FRAMES(lane->right, (t * LANE_ROWS + q) * 2u);
      add_half(left_gain, earlier, left);
      add_half(right_gain, earlier, right);
      add_half(left_gain, later, left + kHalfRow);
      add_half(right_gain, later, right + kHalfRow);
    }
  }
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
