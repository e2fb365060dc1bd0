// SPDX-License-Identifier: MIT
// Slow modulation of all voices, and kicks and swells. Slow modulation (envelopes, tremolo, vibrato, colour)
// is computed at tile borders, as curves, and interpolated linearly in between. A frame's sound depends on
// its number alone.
#ifndef AURALIS_DSP_VOICES_H
#define AURALIS_DSP_VOICES_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/layout.h"
#include "synthd/engine/dsp/oscillators.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// Indices of a voice's curves, which are curve_points apart.
#define LEVEL 0  // pads, leads
#define TONE 1   // leads: level of a harmonic relative to the one below it
#define SWING 2  // leads: phase offset by the vibrato, in turns
#define STEPS 3  // pads, leads: not a curve, but the rotation of a wave within a tile or a row
#define NOISE 0  // swells: four curves

// Division of a block among lanes: one lane has all rows of all tiles, or each has one row. A lane's first
// row is row `row` of tile `tile`.
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
#define ROW_MIDDLE ((real)kHalfRow - REAL(0.5))  // frames from a row's first to its middle
#define TILE_MIDDLE ((kTileFrames - 1) * REAL(0.5))
#define SECONDS(s) (REAL(s) * shape->second_frames)

DSP_INLINE void pad_curves(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* v, int32_t n, real gain,
                           uint32_t point, GLOBAL real* curves) {
  const real envelope = adsr(n, v->gate, SECONDS(2.5), SECONDS(3.0), REAL(0.75), shape->pad_release_frames);
  const real tremolo = sine(shape->tremolo_increment * (uint32_t)n + hash(v->seed));
  CURVE(curves, LEVEL)[point] = gain * envelope * FMA(REAL(0.1), tremolo, REAL(0.9));
}

// The brightness opens with the attack, closes slightly while the note is held, and drifts. The vibrato of 7
// cents sets in slowly; it is phase modulation with a deviation of depth / (2 pi 4.8 Hz) times the frequency.
DSP_INLINE void lead_curves(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* v, int32_t n, real gain,
                            uint32_t point, GLOBAL real* curves) {
  const real envelope = adsr(n, v->gate, SECONDS(0.3), SECONDS(0.5), REAL(0.8), shape->lead_release_frames);
  const real time = (real)n;
  const real drift = sine(shape->colour_increment * (uint32_t)n + hash(v->seed));
  const real closing = smooth((time - SECONDS(0.3)) / SECONDS(1.6));
  const real tone =
      v->shape * smooth(time / SECONDS(0.35)) * FMA(REAL(0.15), drift, REAL(0.85) - REAL(0.35) * closing);
  const real depth = (real)v->increment * (REAL(0.00405) / (REAL(6.2831853) * TURN)) * SECONDS(0.2083333);
  CURVE(curves, TONE)[point] = tone;
  // Compensate the loudness of the harmonics: a brighter tone is not louder.
  CURVE(curves, LEVEL)[point] = gain * envelope * root(REAL(1.0) - tone * tone);
  CURVE(curves, SWING)
  [point] = depth * smooth(time / SECONDS(1.2)) * sine(shape->vibrato_increment * (uint32_t)n);
}

// Random values per tile, for the two quadratures of the carrier on each side; the level drifts from side to
// side.
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

// A group's gain, linear over the chunk. The levels of pads and leads include a constant one.
struct GainLine {
  real start;
  real slope;
};

DSP_INLINE struct GainLine gain_line(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station,
                                     uint32_t group) {
  struct GainLine line;
  line.start = station->gains_start[group];
  line.slope = (station->gains_end[group] - line.start) / (real)shape->chunk_frames;
  return line;
}
DSP_INLINE int is_steady(GLOBAL const PackedStation* station, uint32_t group) {
  return station->gains_start[group] == station->gains_end[group];
}

// Highest increments at which a pad's wave rotates by at most a quarter turn either way from the middle of a
// tile, and of half a tile: 345 and 689 Hz at 44.1 kHz. The reference computes frame by frame.
#ifdef DSP_DOUBLE
#define HIGHEST_OF_TILES 0u
#define HIGHEST_OF_PARTS 0u
#else
#define HIGHEST_OF_TILES (1u << 25)
#define HIGHEST_OF_PARTS (1u << 26)
#endif
DSP_INLINE int is_polynomial(uint32_t increment) {
  return HIGHEST_OF_PARTS != 0u && increment <= HIGHEST_OF_PARTS;
}

// Coefficients of x^0 to x^8 of cos(x r) (even ones) and sin(x r) (odd ones), where r is the rotation of a
// pad's wave over half the span of its polynomial. Minimax fit for a quarter turn either way: maximum errors
// 8e-8 and 5.9e-7.
DSP_INLINE void pad_terms(uint32_t increment, GLOBAL real* terms) {
  const real turns = (real)increment * (increment <= HIGHEST_OF_TILES ? REAL(0.5) * kTileFrames / TURN
                                                                      : REAL(0.25) * kTileFrames / TURN);
  const real y = turns * turns;
  terms[0] = REAL(1.0);
  terms[1] = turns * REAL(6.28316404);
  terms[2] = y * REAL(-19.7391815);
  terms[3] = y * turns * REAL(-41.3371425);
  terms[4] = y * y * REAL(64.9352188);
  terms[5] = y * y * turns * REAL(81.3407681);
  terms[6] = y * y * y * REAL(-85.2540054);
  terms[7] = y * y * y * turns * REAL(-70.9934231);
  terms[8] = y * y * y * y * REAL(56.3406487);
}

// Computes all curves of voice `index` of a station.
DSP_INLINE void curves_of_voice(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station,
                                GLOBAL const PackedVoice* voices, GLOBAL real* RESTRICT all_curves,
                                uint32_t index, uint32_t lane) {
  GLOBAL const PackedVoice* v = voices + index;
  GLOBAL real* RESTRICT curves = all_curves + index * (kCurves * shape->curve_points);
  const int32_t points = (int32_t)shape->curve_points;
  const uint32_t group = index < station->ends[0] ? 0u : 1u;
  const real gain = is_steady(station, group) ? station->gains_start[group] : REAL(1.0);
  GLOBAL real* steps = CURVE(curves, STEPS);
  if (index < station->ends[0]) {
    if (lane == 0u) pad_terms(v->increment, steps);
  } else if (index < station->ends[1]) {
    VECTORISE for (uint32_t j = lane; j < kHalfRow; j += DSP_LANES) {
      const uint32_t phase = v->increment * j + v->increment / 2u;
      steps[kStepSines + j] = sine(phase);
      steps[kStepCosines + j] = sine(phase + QUARTER_TURN);
    }
  }
  if (index < station->ends[0]) {
    VECTORISE for (int32_t point = (int32_t)lane; point < points; point += DSP_LANES) {
      const int32_t n = (point - 1) * kTileFrames - v->start;
      pad_curves(shape, v, n > 0 ? n : 0, gain, (uint32_t)point, curves);
    }
  } else if (index < station->ends[1]) {
    VECTORISE for (int32_t point = (int32_t)lane; point < points; point += DSP_LANES) {
      const int32_t n = (point - 1) * kTileFrames - v->start;
      lead_curves(shape, v, n > 0 ? n : 0, gain, (uint32_t)point, curves);
    }
  } else if (index >= station->ends[2]) {
    const uint32_t first_tile = station->first_tile;
    VECTORISE for (int32_t point = (int32_t)lane; point < points; point += DSP_LANES) {
      const int32_t n = (point - 1) * kTileFrames - v->start;
      swell_curves(shape, v, n > 0 ? n : 0, first_tile + (uint32_t)point, (uint32_t)point, curves);
    }
  }
}

// An edge of a saw affects frames from 4 before it to 4 after it. Edges are grouped by ranges of 32 frames,
// of which the first starts with the lane: a range has the edges from 4 frames before its first frame
// (exclusive) to its frame 28, counted from 0. LANE_RANGES ranges hold every edge that affects the lane, up
// to 3 frames after it.
#define EDGE_RANGE 32
#define EDGE_RANGE_HALVES (EDGE_RANGE / kHalfRow)
#define LANE_HALVES (LANE_TILES * LANE_ROWS * 2)
#define LANE_RANGES ((LANE_HALVES * kHalfRow + 6) / EDGE_RANGE + 1)

// Sum of pads and leads in a lane: its frames, with a half row before them and, after them, the frames that
// edges in its ranges affect. What is written to these margins is discarded.
#define LANE_WORDS ((1 + LANE_RANGES * EDGE_RANGE_HALVES) * kHalfRow)
struct Lane {
  real left[LANE_WORDS];
  real right[LANE_WORDS];
};
#define LANE_FRAMES(side, half) ((side) + ((half) + 1) * kHalfRow)

DSP_INLINE void clear_lane(struct Lane* lane) {
  for (uint32_t k = 0; k < LANE_WORDS; k += kHalfRow) {
    store8(lane->left + k, eight(REAL(0.0)));
    store8(lane->right + k, eight(REAL(0.0)));
  }
}

DSP_INLINE void add_half(real gain, real8 half_row, real* words) {
  store8(words, fma8(eight(gain), half_row, load8(words)));
}

// True if the voice sounds in any of the `tiles` tiles from `tile` on.
DSP_INLINE int sounds(GLOBAL const PackedVoice* voice, uint32_t tile, uint32_t tiles) {
  const int32_t n = (int32_t)tile * kTileFrames - voice->start;
  return n + (int32_t)(tiles * kTileFrames) > 0 && n < voice->frames;
}

// Adds a kick: a sine that falls from 150 Hz to f0 = 40 Hz (v->increment), f(t) = f0 (1 + 2.75 exp(-t / s)),
// so phase(t) = f0 t + 2.75 f0 s (1 - exp(-t / s)).
DSP_INLINE void add_kick(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* v,
                         const struct GainLine* gain, int32_t chunk_frame, int32_t n, uint32_t row,
                         GLOBAL real* RESTRICT left, GLOBAL real* RESTRICT right) {
  const real octave = REAL(-1.4426950);  // exp(-t) = 2^(octave t)
  const real sweep = SECONDS(0.045);
  const real fall = octave / sweep;
  const real decay = octave / SECONDS(0.22);
  const real attack = REAL(1.0) / SECONDS(0.004);
  const real end = REAL(1.0) / shape->kick_frames;
  const real turns = REAL(2.75) * sweep * (real)v->increment * (REAL(1.0) / TURN);
  const real gain_start = gain->start;
  const real gain_slope = gain->slope;
  const real left_gain = v->left;
  const real right_gain = v->right;
  VECTORISE for (uint32_t k = 0; k < TILE_SHARE; ++k) {
    const int32_t frame = n + (int32_t)(row * kRowFrames + k);
    const real t = (real)(frame > 0 ? frame : 0);
    const real extra = turns - turns * power_of_two(fall * t);
    const real part = extra - (real)(int32_t)extra - REAL(0.5);
    const uint32_t phase = v->increment * (uint32_t)frame + (uint32_t)(int32_t)(part * TURN) + HALF_TURN;
    const real envelope = smooth(t * attack) * power_of_two(decay * t) * (REAL(1.0) - smooth(t * end));
    const real sample =
        FMA((real)(chunk_frame + (int32_t)k), gain_slope, gain_start) * envelope * sine(phase);
    left[k] = FMA(left_gain, sample, left[k]);
    right[k] = FMA(right_gain, sample, right[k]);
  }
}

// Phase, in 2^-32 turns, that a chirp is ahead of a constant carrier: its increment grows by `second` per
// frame until the middle, then falls back.
DSP_INLINE uint32_t chirp(uint32_t second, int32_t n, int32_t middle) {
  const uint32_t up = (uint32_t)(n < middle ? n : middle);
  const uint32_t down = (uint32_t)n - up;
  // k (k - 1) / 2, with the even factor halved first so that the product may wrap.
  const uint32_t sum_up = (up & 1u) != 0u ? (up - 1u) / 2u * up : up / 2u * (up - 1u);
  const uint32_t sum_down = (down & 1u) != 0u ? (down - 1u) / 2u * down : down / 2u * (down - 1u);
  return second * (sum_up + down * up - sum_down);
}

// Coefficients of a uniform cubic B-spline from 0 to 1, from the control points at -1, 0, 1 and 2.
#define SPLINE(c, p)                                                                  \
  const real c##0 = ((p)[0] + REAL(4.0) * (p)[1] + (p)[2]) * (REAL(1.0) / REAL(6.0)); \
  const real c##1 = ((p)[2] - (p)[0]) * REAL(0.5);                                    \
  const real c##2 = ((p)[0] - REAL(2.0) * (p)[1] + (p)[2]) * REAL(0.5);               \
  const real c##3 = ((p)[3] - (p)[0] + REAL(3.0) * ((p)[1] - (p)[2])) * (REAL(1.0) / REAL(6.0))
#define ALONG_SPLINE(c, x) FMA(x, FMA(x, FMA(x, c##3, c##2), c##1), c##0)

// Adds a swell: noise in a band of some 400 Hz around a carrier that rises and falls. Two slow random curves
// modulate its sine and cosine, two more those of the other side. The carrier's frequency is constant along a
// row: sin(a + b) = sin(a) cos(b) + cos(a) sin(b), where a is the phase at the row's first frame and b the
// rotation from there.
DSP_INLINE void add_swell(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* v,
                          GLOBAL const real* curves, const struct GainLine* gain, int32_t chunk_frame,
                          int32_t n, uint32_t tile, uint32_t row, GLOBAL real* RESTRICT left,
                          GLOBAL real* RESTRICT right) {
  SPLINE(a, CURVE(curves, NOISE) + tile);
  SPLINE(b, CURVE(curves, NOISE + 1) + tile);
  SPLINE(c, CURVE(curves, NOISE + 2) + tile);
  SPLINE(d, CURVE(curves, NOISE + 3) + tile);
  const int32_t from = n > 0 ? n : 0;
  const uint32_t ahead = chirp(v->second, from, v->gate / 2);
  const uint32_t ahead_next = chirp(v->second, from + kTileFrames, v->gate / 2);
  const uint32_t increment = v->increment + (uint32_t)((int32_t)(ahead_next - ahead) / kTileFrames);
  const real gain_start = gain->start;
  const real gain_slope = gain->slope;
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
    GLOBAL real* RESTRICT row_left = left + m * kRowFrames;
    GLOBAL real* RESTRICT row_right = right + m * kRowFrames;
    VECTORISE for (uint32_t j = 0; j < kRowFrames; ++j) {
      const real x = (real)(int32_t)((row + m) * kRowFrames + j) * (REAL(1.0) / kTileFrames);
      const real wave = sine_of_sum(from_sine, from_cosine, step_sines[j], step_cosines[j]);
      const real other = cosine_of_sum(from_sine, from_cosine, step_sines[j], step_cosines[j]);
      const real level = FMA((real)(chunk_frame + (int32_t)(m * kRowFrames + j)), gain_slope, gain_start);
      const real left_noise = ALONG_SPLINE(a, x) * wave + ALONG_SPLINE(b, x) * other;
      const real right_noise = ALONG_SPLINE(c, x) * wave + ALONG_SPLINE(d, x) * other;
      row_left[j] = FMA(left_gain * level, left_noise, row_left[j]);
      row_right[j] = FMA(right_gain * level, right_noise, row_right[j]);
    }
  }
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
