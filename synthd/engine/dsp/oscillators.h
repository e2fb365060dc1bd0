// SPDX-License-Identifier: MIT
// Waves, noise and envelopes as stateless functions of a phase or of a frame number. Phases are integers in
// units of 2^-32 turns and wrap.
#ifndef AURALIS_DSP_OSCILLATORS_H
#define AURALIS_DSP_OSCILLATORS_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/shim.h"
#endif

DSP_BEGIN

#define TURN REAL(4294967296.0)
#define QUARTER_TURN 0x40000000u
#define HALF_TURN 0x80000000u

// The finaliser of MurmurHash3 (Austin Appleby, public domain): every input bit affects every output bit.
DSP_INLINE uint32_t hash(uint32_t x) {
  x ^= x >> 16;
  x *= 0x85ebca6bu;
  x ^= x >> 13;
  x *= 0xc2b2ae35u;
  return x ^ x >> 16;
}

// White noise, uniform from -1 to 1.
DSP_INLINE real noise(uint32_t x) { return (real)(int32_t)hash(x) * (REAL(2.0) / TURN); }

// sin(2 pi phase): range reduction to a quarter turn either way, then a minimax odd polynomial (maximum error
// 5.9e-7).
DSP_INLINE real sine(uint32_t phase) {
  const real x = REAL(0.25) - magnitude(centred(phase + QUARTER_TURN));
#ifdef DSP_DOUBLE
  return sin(6.283185307179586 * x);
#else
  const real y = x * x;
  return x * FMA(y, FMA(y, FMA(y, -70.9934231F, 81.3407681F), -41.3371425F), 6.28316404F);
#endif
}

// sin(a + b) and cos(a + b).
DSP_INLINE real sine_of_sum(real sine_a, real cosine_a, real sine_b, real cosine_b) {
  return FMA(sine_a, cosine_b, cosine_a * sine_b);
}
DSP_INLINE real cosine_of_sum(real sine_a, real cosine_a, real sine_b, real cosine_b) {
  return FMA(cosine_a, cosine_b, -sine_a * sine_b);
}

// Band-limited edge of a saw: falls from 1 at x = -1 to -1 at x = 1, as the integral of (1 - x^2)^3. The
// macro gives a quarter of the edge divided by x, as a polynomial in y = x^2; FUSE and EACH select one number
// or eight. With 4 frames on each side, aliasing below 16 kHz is 84 dB under a fundamental of 2 kHz.
#define QUARTER_EDGE(FUSE, EACH, y)                                                            \
  FUSE(y, FUSE(y, FUSE(y, EACH(REAL(0.078125)), EACH(REAL(-0.328125))), EACH(REAL(0.546875))), \
       EACH(REAL(-0.546875)))
#define ONE(x) (x)

// A quarter of a rising saw from -1 to 1 that falls at phase 0, over a phase of `1 / steepness` on either
// side.
DSP_INLINE real quarter_saw(uint32_t phase, real steepness) {
  const real t = (real)(int32_t)phase;
  const real x = most(least(t * steepness, REAL(1.0)), REAL(-1.0));
  return FMA(x, QUARTER_EDGE(FMA, ONE, x * x), REAL(0.5) / TURN * t);
}

// Smoothstep: 0 to 1 with zero slope at both ends, for x from 0 to 1; clamped outside.
DSP_INLINE real smooth(real x) {
  x = least(most(x, REAL(0.0)), REAL(1.0));
  return x * x * (REAL(3.0) - REAL(2.0) * x);
}

// ADSR envelope: attack, decay and sustain during the gate, then release from the level reached. Times are in
// frames; exactly 0 from the end of the release on.
DSP_INLINE real adsr(int32_t n, int32_t gate, real attack, real decay, real sustain, real release) {
  const real attack_rate = REAL(1.0) / attack;
  const real decay_rate = REAL(1.0) / decay;
  const int32_t held_frames = n < gate ? n : gate;
  const real held = (real)held_frames;
  const real after = (real)(n - held_frames);
  const real fallen = least(most((held - attack) * decay_rate, REAL(0.0)), REAL(1.0));
  return smooth(held * attack_rate) * (REAL(1.0) - (REAL(1.0) - sustain) * fallen) *
         (REAL(1.0) - smooth(after / release));
}

DSP_END

#endif
