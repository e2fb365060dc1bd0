// SPDX-License-Identifier: MIT
// What makes the files of this folder both OpenCL C 1.2 and C++. They say what every frame sounds like, once;
// they are built as
//
//   - the OpenCL program: all of them one after the other, in the order of the #includes below;
//   - the native engine: an object for each instruction set (native_*.cpp), which defines DSP_SET;
//   - the reference in double precision, which only tests have: DSP_SET and DSP_DOUBLE.
//
// A work item computes the frames lane, lane + DSP_LANES, ... of what its group is given: a GPU takes as many
// lanes as a tile has frames, a processor takes one, whose loops the compiler then vectorises. So that every
// instruction set with a fused multiply-add gives the same bits, sums are fused where FMA says so and nowhere
// else (-ffp-contract=off).
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
DSP_INLINE real root(real x) { return sqrt(x); }
DSP_INLINE real magnitude(real x) { return fabs(x); }
DSP_INLINE real real_of_bits(uint32_t bits) { return as_float(bits); }

#else

#include <math.h>
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
#define VECTORISE _Pragma("GCC ivdep")
#define DSP_LANES 1

DSP_BEGIN
#ifdef DSP_DOUBLE

typedef double real;
#define FMA(a, b, c) ((a) * (b) + (c))
#define REAL(x) (x)
DSP_INLINE real root(real x) { return sqrt(x); }
DSP_INLINE real magnitude(real x) { return fabs(x); }

#else

typedef float real;
#ifdef __FP_FAST_FMAF
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

#endif
DSP_END
#endif

DSP_BEGIN

// Plain comparisons: the libraries' functions look after numbers that are none, which there are not here.
DSP_INLINE real least(real a, real b) { return a < b ? a : b; }
DSP_INLINE real most(real a, real b) { return a > b ? a : b; }

// The nearest whole number, of -65,536 to 65,535.
DSP_INLINE int32_t nearest(real x) { return (int32_t)(x + REAL(65536.5)) - 65536; }

#ifdef DSP_DOUBLE
DSP_INLINE real power_of_two(real x) { return exp2(x); }
DSP_INLINE real centred(uint32_t phase) { return phase / 4294967296.0 - 0.5; }
#else

// 2^x for -126 <= x <= 127, relative error below 2e-7: a polynomial over half an octave each way, fitted to
// the least largest relative error, and the exponent's bits. Not the library's, which no compiler vectorises.
DSP_INLINE real power_of_two(real x) {
  const int32_t octave = (int32_t)(x + 256.5f) - 256;
  const real y = x - (real)octave;
  const real p =
      FMA(y, FMA(y, FMA(y, FMA(y, FMA(y, 0.00132647f, 0.00967151f), 0.05550734f), 0.24022242f), 0.69314700f),
          1.0f);
  return p * real_of_bits((uint32_t)(octave + 127) << 23);
}

// phase / 2^32 - 0.5: the upper 23 bits become the mantissa of a number from 1 to 2.
DSP_INLINE real centred(uint32_t phase) { return real_of_bits((phase >> 9) | 0x3f800000u) - 1.5f; }

#endif
DSP_END

#endif
