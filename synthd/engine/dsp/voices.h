// SPDX-License-Identifier: MIT
// The voices. What moves slowly (envelopes, tremolo, vibrato, colour) is computed at the borders of tiles, as
// curves; between them it is a straight line. What is heard of a frame follows from its number alone.
#ifndef AURALIS_DSP_VOICES_H
#define AURALIS_DSP_VOICES_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/layout.h"
#include "synthd/engine/dsp/oscillators.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// The curves of a voice, one after the other, curve_points apart.
#define LEVEL 0  // pads, leads
#define TONE 1   // leads: a harmonic's level against the one below it
#define SWING 2  // leads: turns beside those of the increment
#define STEPS 3  // pads, leads: no curve but how a wave turns in a row, sines and then cosines
#define NOISE 0  // swells: four of them

// How the rows of a block's tiles are shared out: a lane has all of them, or one row. The first that it has
// is row `row` of tile `tile`.
#if DSP_LANES > 1
#define MIX_LANES kBlockRows
#define LANE_TILES 1
#define LANE_ROWS 1
#else
#define MIX_LANES 1
#define LANE_TILES kBlockTiles
#define LANE_ROWS kTileRows
#endif
#define TILE_SHARE (LANE_ROWS * kRowFrames)  // frames of a tile that one lane computes

#define CURVE(curves, which) ((curves) + (which)*shape->curve_points)
#define SECONDS(s) (REAL(s) * shape->second_frames)

DSP_INLINE void pad_curves(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* v, int32_t n,
                           uint32_t point, GLOBAL real* curves) {
  const real envelope = adsr(n, v->gate, SECONDS(2.5), SECONDS(3.0), REAL(0.75), shape->pad_release_frames);
  const real tremolo = sine(shape->tremolo_increment * (uint32_t)n + hash(v->seed));
  CURVE(curves, LEVEL)[point] = envelope * FMA(REAL(0.1), tremolo, REAL(0.9));
}

// The tone opens with the attack, closes a little while the note is held, and drifts. Vibrato of 7 cents that
// sets in slowly, as a swing of the phase: depth / (2 pi 4.8 Hz) of the frequency.
DSP_INLINE void lead_curves(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* v, int32_t n,
                            uint32_t point, GLOBAL real* curves) {
  const real envelope = adsr(n, v->gate, SECONDS(0.3), SECONDS(0.5), REAL(0.8), shape->lead_release_frames);
  const real time = (real)n;
  const real drift = sine(shape->colour_increment * (uint32_t)n + hash(v->seed));
  const real closing = smooth((time - SECONDS(0.3)) / SECONDS(1.6));
  const real tone =
      v->shape * smooth(time / SECONDS(0.35)) * FMA(REAL(0.15), drift, REAL(0.85) - REAL(0.35) * closing);
  const real depth = (real)v->increment * (REAL(0.00405) / (REAL(6.2831853) * TURN)) * SECONDS(0.2083333);
  CURVE(curves, TONE)[point] = tone;
  // Brighter is not louder.
  CURVE(curves, LEVEL)[point] = envelope * root(REAL(1.0) - tone * tone);
  CURVE(curves, SWING)
  [point] = depth * smooth(time / SECONDS(1.2)) * sine(shape->vibrato_increment * (uint32_t)n);
}

// Random values, one a tile and side for each of the two quadratures of a carrier; the level goes from side
// to side.
DSP_INLINE void swell_curves(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* v, int32_t n,
                             uint32_t tile, uint32_t point, GLOBAL real* curves) {
  const real x = (real)n / (real)v->gate;
  const real envelope = smooth(x * REAL(2.2)) * smooth((REAL(1.0) - x) * REAL(1.8));
  const uint32_t slow = shape->colour_increment * (uint32_t)n + v->seed;
  const real left = envelope * FMA(REAL(0.3), sine(slow), REAL(0.7));
  const real right = envelope * FMA(REAL(0.3), sine(slow + QUARTER_TURN), REAL(0.7));
  const uint32_t source = hash(v->seed);
  CURVE(curves, NOISE)[point] = left * noise(source + tile);
  CURVE(curves, NOISE + 1)[point] = left * noise((source ^ 0x5bd1e995u) + tile);
  CURVE(curves, NOISE + 2)[point] = right * noise((source ^ 0x9e3779b9u) + tile);
  CURVE(curves, NOISE + 3)[point] = right * noise((source ^ 0xb5297a4du) + tile);
}

// All curves of voice `index` of a station.
DSP_INLINE void curves_of_voice(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station,
                                GLOBAL const PackedVoice* voices, GLOBAL real* RESTRICT all_curves,
                                uint32_t index, uint32_t lane) {
  GLOBAL const PackedVoice* v = voices + index;
  GLOBAL real* RESTRICT curves = all_curves + index * (kCurves * shape->curve_points);
  const int32_t points = (int32_t)shape->curve_points;
  if (index < station->ends[1]) {
    VECTORISE for (uint32_t j = lane; j < kRowFrames; j += DSP_LANES) {
      CURVE(curves, STEPS)[j] = sine(v->increment * j);
      CURVE(curves, STEPS)[kRowFrames + j] = sine(v->increment * j + QUARTER_TURN);
    }
  }
  if (index < station->ends[0]) {
    VECTORISE for (int32_t point = (int32_t)lane; point < points; point += DSP_LANES) {
      const int32_t n = (point - 1) * kTileFrames - v->start;
      pad_curves(shape, v, n > 0 ? n : 0, (uint32_t)point, curves);
    }
  } else if (index < station->ends[1]) {
    VECTORISE for (int32_t point = (int32_t)lane; point < points; point += DSP_LANES) {
      const int32_t n = (point - 1) * kTileFrames - v->start;
      lead_curves(shape, v, n > 0 ? n : 0, (uint32_t)point, curves);
    }
  } else if (index >= station->ends[2]) {
    const uint32_t first_tile = station->first_tile;
    VECTORISE for (int32_t point = (int32_t)lane; point < points; point += DSP_LANES) {
      const int32_t n = (point - 1) * kTileFrames - v->start;
      swell_curves(shape, v, n > 0 ? n : 0, first_tile + (uint32_t)point, (uint32_t)point, curves);
    }
  }
}

// The voices add to what a lane has of both sides. A wave that turns evenly is made by rows: sin(a + b) =
// sin(a) cos(b) + cos(a) sin(b), where a is the phase of a row's first frame and b how far a frame of the row
// is from it. So the polynomial is needed for first frames and for one row of steps alone.

// What a lead's waves are in the tiles and rows of a lane. The vibrato turns a tile's steps by `turns`
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
    VECTORISE for (uint32_t t = 0; t < LANE_TILES; ++t) {
      const int32_t swung = (int32_t)((swings[t + 1] - swings[t]) * (TURN / kTileFrames));
      const uint32_t at = increment * (first + t * kTileFrames) + seed +
                          (uint32_t)(int32_t)(swings[t] * TURN) +
                          (increment + (uint32_t)swung) * ((row + q) * kRowFrames);
      rows->sines[q][t] = sine(at);
      rows->cosines[q][t] = sine(at + QUARTER_TURN);
      rows->turns[t] = (real)swung * (REAL(6.2831853) / TURN);
    }
  }
}

// The voice's steps, turned by so little more that two terms of sine and cosine do.
DSP_INLINE void turn_steps(GLOBAL const real* steps, real turn, real* RESTRICT sines,
                           real* RESTRICT cosines) {
  VECTORISE for (uint32_t j = 0; j < kRowFrames; ++j) {
    const real x = (real)(int32_t)j * turn;
    const real y = x * x;
    const real sine_x = FMA(y * x, REAL(-1.0) / REAL(6.0), x);
    const real cosine_x = FMA(y, REAL(-0.5), REAL(1.0));
    sines[j] = sine_of_sum(steps[j], steps[kRowFrames + j], sine_x, cosine_x);
    cosines[j] = cosine_of_sum(steps[j], steps[kRowFrames + j], sine_x, cosine_x);
  }
}

// In all tiles of a block that a lane has a part of: outside the voice its level is 0. All harmonics at once,
// each `tone` times the one below it: sin(x) / (1 - 2 tone cos(x) + tone^2) (Moorer, "The synthesis of
// complex audio spectra by means of discrete summation formulas", JAES 24(9), 1976). At a tone of one half
// what would fold back lies below -100 dB.
DSP_INLINE void add_lead(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voice,
                         GLOBAL const real* curves, uint32_t tile, uint32_t row, real* RESTRICT left,
                         real* RESTRICT right) {
  GLOBAL const real* levels = CURVE(curves, LEVEL) + tile + 1;
  GLOBAL const real* tones = CURVE(curves, TONE) + tile + 1;
  const real left_gain = voice->left;
  const real right_gain = voice->right;
  struct LeadRows rows;
  start_lead(shape, voice, curves, tile, row, &rows);
  for (uint32_t t = 0; t < LANE_TILES; ++t) {
    real sines[kRowFrames];
    real cosines[kRowFrames];
    turn_steps(CURVE(curves, STEPS), rows.turns[t], sines, cosines);
    const real level_slope = (levels[t + 1] - levels[t]) * (REAL(1.0) / kTileFrames);
    const real tone_slope = (tones[t + 1] - tones[t]) * (REAL(1.0) / kTileFrames);
    for (uint32_t q = 0; q < LANE_ROWS; ++q) {
      const real a = rows.sines[q][t];
      const real b = rows.cosines[q][t];
      const real before = (real)(int32_t)((row + q) * kRowFrames);
      const real first_level = FMA(before, level_slope, levels[t]);
      const real first_tone = FMA(before, tone_slope, tones[t]);
      real* RESTRICT row_left = left + (t * LANE_ROWS + q) * kRowFrames;
      real* RESTRICT row_right = right + (t * LANE_ROWS + q) * kRowFrames;
      VECTORISE for (uint32_t j = 0; j < kRowFrames; ++j) {
        const real along = (real)(int32_t)j;
        const real tone = FMA(along, tone_slope, first_tone);
        const real wave = sine_of_sum(a, b, sines[j], cosines[j]);
        const real other = cosine_of_sum(a, b, sines[j], cosines[j]);
        const real under = FMA(tone, FMA(REAL(-2.0), other, tone), REAL(1.0));
        const real sample = FMA(along, level_slope, first_level) * wave / under;
        row_left[j] = FMA(left_gain, sample, row_left[j]);
        row_right[j] = FMA(right_gain, sample, row_right[j]);
      }
    }
  }
}

// Falls from 150 Hz to 40 Hz (that is v.increment): f(t) = f0 (1 + 2.75 exp(-t / s)), so
// phase(t) = f0 t + 2.75 f0 s (1 - exp(-t / s)).
DSP_INLINE void add_kick(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* v, int32_t n, uint32_t row,
                         real* RESTRICT left, real* RESTRICT right) {
  const real octave = REAL(-1.4426950);  // exp(-t) = 2^(octave t)
  const real sweep = SECONDS(0.045);
  const real fall = octave / sweep;
  const real decay = octave / SECONDS(0.22);
  const real attack = REAL(1.0) / SECONDS(0.004);
  const real end = REAL(1.0) / shape->kick_frames;
  const real turns = REAL(2.75) * sweep * (real)v->increment * (REAL(1.0) / TURN);
  const real left_gain = v->left;
  const real right_gain = v->right;
  VECTORISE for (uint32_t k = 0; k < TILE_SHARE; ++k) {
    const int32_t frame = n + (int32_t)(row * kRowFrames + k);
    const real t = (real)(frame > 0 ? frame : 0);
    const real extra = turns - turns * power_of_two(fall * t);
    const real part = extra - (real)(int32_t)extra - REAL(0.5);
    const uint32_t phase = v->increment * (uint32_t)frame + (uint32_t)(int32_t)(part * TURN) + HALF_TURN;
    const real envelope = smooth(t * attack) * power_of_two(decay * t) * (REAL(1.0) - smooth(t * end));
    const real sample = envelope * sine(phase);
    left[k] = FMA(left_gain, sample, left[k]);
    right[k] = FMA(right_gain, sample, right[k]);
  }
}

// Turns of 2^-32 that a carrier is ahead of one that keeps its increment: it grows by `second` a frame until
// the middle, and falls back.
DSP_INLINE uint32_t chirp(uint32_t second, int32_t n, int32_t middle) {
  const uint32_t up = (uint32_t)(n < middle ? n : middle);
  const uint32_t down = (uint32_t)n - up;
  // k (k - 1) / 2, halved before it wraps.
  const uint32_t sum_up = (up & 1u) != 0u ? (up - 1u) / 2u * up : up / 2u * (up - 1u);
  const uint32_t sum_down = (down & 1u) != 0u ? (down - 1u) / 2u * down : down / 2u * (down - 1u);
  return second * (sum_up + down * up - sum_down);
}

// From the values at the points -1, 0, 1 and 2 the coefficients of a uniform cubic B-spline from 0 to 1.
#define SPLINE(c, p)                                                                  \
  const real c##0 = ((p)[0] + REAL(4.0) * (p)[1] + (p)[2]) * (REAL(1.0) / REAL(6.0)); \
  const real c##1 = ((p)[2] - (p)[0]) * REAL(0.5);                                    \
  const real c##2 = ((p)[0] - REAL(2.0) * (p)[1] + (p)[2]) * REAL(0.5);               \
  const real c##3 = ((p)[3] - (p)[0] + REAL(3.0) * ((p)[1] - (p)[2])) * (REAL(1.0) / REAL(6.0))
#define ALONG_SPLINE(c, x) FMA(x, FMA(x, FMA(x, c##3, c##2), c##1), c##0)

// Noise in a band of some 400 Hz around a carrier that rises and falls: two slow random curves on its sine
// and cosine, two more for the other side.
DSP_INLINE void add_swell(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* v,
                          GLOBAL const real* curves, int32_t n, uint32_t tile, uint32_t row,
                          real* RESTRICT left, real* RESTRICT right) {
  SPLINE(a, CURVE(curves, NOISE) + tile);
  SPLINE(b, CURVE(curves, NOISE + 1) + tile);
  SPLINE(c, CURVE(curves, NOISE + 2) + tile);
  SPLINE(d, CURVE(curves, NOISE + 3) + tile);
  const int32_t from = n > 0 ? n : 0;
  const uint32_t ahead = chirp(v->second, from, v->gate / 2);
  const uint32_t ahead_next = chirp(v->second, from + kTileFrames, v->gate / 2);
  const uint32_t increment = v->increment + (uint32_t)((int32_t)(ahead_next - ahead) / kTileFrames);
  const real left_gain = v->left;
  const real right_gain = v->right;
  const uint32_t phase = v->increment * (uint32_t)n + v->seed + ahead;
  real step_sines[kRowFrames];
  real step_cosines[kRowFrames];
  VECTORISE for (uint32_t j = 0; j < kRowFrames; ++j) {
    step_sines[j] = sine(increment * j);
    step_cosines[j] = sine(increment * j + QUARTER_TURN);
  }
  for (uint32_t m = 0; m < LANE_ROWS; ++m) {
    const uint32_t row_phase = phase + increment * ((row + m) * kRowFrames);
    const real from_sine = sine(row_phase);
    const real from_cosine = sine(row_phase + QUARTER_TURN);
    real* RESTRICT row_left = left + m * kRowFrames;
    real* RESTRICT row_right = right + m * kRowFrames;
    VECTORISE for (uint32_t j = 0; j < kRowFrames; ++j) {
      const real x = (real)(int32_t)((row + m) * kRowFrames + j) * (REAL(1.0) / kTileFrames);
      const real wave = sine_of_sum(from_sine, from_cosine, step_sines[j], step_cosines[j]);
      const real other = cosine_of_sum(from_sine, from_cosine, step_sines[j], step_cosines[j]);
      row_left[j] = FMA(left_gain, ALONG_SPLINE(a, x) * wave + ALONG_SPLINE(b, x) * other, row_left[j]);
      row_right[j] = FMA(right_gain, ALONG_SPLINE(c, x) * wave + ALONG_SPLINE(d, x) * other, row_right[j]);
    }
  }
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
