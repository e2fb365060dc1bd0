// SPDX-License-Identifier: MIT
// Compatibility layer that makes the files of this folder valid OpenCL C 1.2 and C++. They define the sound
// of every frame in one place, and are built as
//
//   - the OpenCL program: all of them concatenated, in the order of their #includes;
//   - the native engine: an object for each instruction set (native_*.cpp), which defines DSP_SET;
//   - the reference in double precision, for tests only: DSP_SET and DSP_DOUBLE;
//   - a variant with scalar fused multiply-adds, for tests only: DSP_SET and DSP_ONE_BY_ONE.
//
// A work item computes the frames lane, lane + DSP_LANES, ... of its group's range, or a row of frames when
// mixing voices. A GPU uses as many lanes as a tile has frames; a CPU uses one, whose loops the compiler
// vectorises. Only FMA fuses multiply and add (-ffp-contract=off), so that all instruction sets with a fused
// multiply-add give the same bits.
#ifndef AURALIS_DSP_SHIM_H
#define AURALIS_DSP_SHIM_H

#ifdef __OPENCL_VERSION__

#pragma OPENCL FP_CONTRACT OFF
typedef int int32_t;
typedef uint uint32_t;
typedef short int16_t;
typedef float real;
#define DSP_BEGIN
#define DSP_END
#define DSP_INLINE static inline
#define GLOBAL __global
#define RESTRICT restrict
#if DSP_LANES == 1 && defined(__clang__)
#define VECTORISE _Pragma("clang loop vectorize(assume_safety)")
#else
#define VECTORISE
#endif
#define FMA(a, b, c) fma(a, b, c)
#define REAL(x) (x##f)
typedef float8 real8;
#define fma8(a, b, c) fma(a, b, c)
#define within8(x, least, most) clamp(x, least, most)
#define eight(x) ((real8)(x))
#define load8(words) vload8(0, words)
#define store8(words, x) vstore8(x, 0, words)
#define reversed8(x) ((x).s76543210)
#define upwards8(first) \
  ((real8)(first, (first) + 1, (first) + 2, (first) + 3, (first) + 4, (first) + 5, (first) + 6, (first) + 7))
DSP_INLINE real root(real x) { return sqrt(x); }
DSP_INLINE real magnitude(real x) { return fabs(x); }
DSP_INLINE real real_of_bits(uint32_t bits) { return as_float(bits); }
DSP_INLINE uint32_t bits_of_real(real x) { return as_uint(x); }
DSP_INLINE void store_pair(GLOBAL int16_t* samples, int32_t frame, uint32_t left, uint32_t right) {
  vstore2((short2)((short)left, (short)right), frame, samples);
}

#else

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DSP_BEGIN     \
  namespace auralis { \
  namespace DSP_SET {
#define DSP_END \
  }             \
  }
#define DSP_INLINE __attribute__((always_inline)) inline
#define GLOBAL
#define RESTRICT __restrict
#ifdef __clang__
#define VECTORISE _Pragma("clang loop vectorize(assume_safety)")
#else
#define VECTORISE _Pragma("GCC ivdep")
#endif
#define DSP_LANES 1

DSP_BEGIN
// Stores the lower 16 bits of `left` and `right` as samples 2 * frame and 2 * frame + 1.
DSP_INLINE void store_pair(int16_t* samples, int32_t frame, uint32_t left, uint32_t right) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  const uint32_t pair = (left & 0xffffu) | right << 16;
#else
  const uint32_t pair = (right & 0xffffu) | left << 16;
#endif
  memcpy(samples + 2 * (ptrdiff_t)frame, &pair, sizeof pair);
}

#ifdef DSP_DOUBLE

typedef double real;
#define FMA(a, b, c) ((a) * (b) + (c))
#define REAL(x) (x)
DSP_INLINE real root(real x) { return sqrt(x); }
DSP_INLINE real magnitude(real x) { return fabs(x); }

#else

typedef float real;
// Clang 14 defines the second alone.
#if defined(__FP_FAST_FMAF) || defined(__FMA__)
#define DSP_FUSES
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif
#define REAL(x) (x##f)
DSP_INLINE real root(real x) { return sqrtf(x); }
DSP_INLINE real magnitude(real x) { return fabsf(x); }
DSP_INLINE real real_of_bits(uint32_t bits) {
  real x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
DSP_INLINE uint32_t bits_of_real(real x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

#endif
DSP_END
#include "synthd/engine/dsp/eight.h"
#endif

DSP_BEGIN

// Plain comparisons: the library's functions also handle NaN, which does not occur here.
DSP_INLINE real least(real a, real b) { return a < b ? a : b; }
DSP_INLINE real most(real a, real b) { return a > b ? a : b; }

#ifdef DSP_DOUBLE
DSP_INLINE uint32_t nearest_bits(real x) { return (uint32_t)lrint(x); }
DSP_INLINE real power_of_two(real x) { return exp2(x); }
DSP_INLINE real centred(uint32_t phase) { return phase / 4294967296.0 - 0.5; }
#else

// Rounds x, from -2^21 to 2^21, to the nearest integer, whose lower 16 bits are those of the result: adds the
// constant at which 1 is the last bit of the mantissa.
DSP_INLINE uint32_t nearest_bits(real x) { return bits_of_real(x + 12582912.0f); }

// 2^x for -126 <= x <= 127, relative error below 2e-7: a minimax polynomial over half an octave either way,
// scaled through the exponent bits. Replaces the library's function, which no compiler vectorises.
DSP_INLINE real power_of_two(real x) {
  const int32_t octave = (int32_t)(x + 256.5f) - 256;
  const real y = x - (real)octave;
  const real p =
      FMA(y, FMA(y, FMA(y, FMA(y, FMA(y, 0.00132647f, 0.00967151f), 0.05550734f), 0.24022242f), 0.69314700f),
          1.0f);
  return p * real_of_bits((uint32_t)(octave + 127) << 23);
}

// phase / 2^32 - 0.5: the upper 23 bits become the mantissa of a number in [1, 2).
DSP_INLINE real centred(uint32_t phase) { return real_of_bits((phase >> 9) | 0x3f800000u) - 1.5f; }

#endif
DSP_END

#endif
