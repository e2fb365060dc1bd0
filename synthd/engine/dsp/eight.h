// SPDX-License-Identifier: MIT
// C++ only, part of shim.h: the equivalent of OpenCL C's float8. Explicit vectors of eight numbers, for sums
// that the compiler does not keep in registers when it vectorises a loop.
#ifndef AURALIS_DSP_EIGHT_H
#define AURALIS_DSP_EIGHT_H

DSP_BEGIN

#if defined(__AVX__) && !defined(DSP_DOUBLE)

typedef real real8 __attribute__((vector_size(8 * sizeof(real))));
DSP_INLINE real8 eight(real x) { return real8{x, x, x, x, x, x, x, x}; }
DSP_INLINE real8 upwards8(real x) { return real8{0, 1, 2, 3, 4, 5, 6, 7} + x; }
DSP_INLINE real8 reversed8(real8 x) { return __builtin_shufflevector(x, x, 7, 6, 5, 4, 3, 2, 1, 0); }
DSP_INLINE real8 within8(real8 x, real least, real most) {
  x = x < eight(most) ? x : eight(most);
  return x > eight(least) ? x : eight(least);
}
#if defined(__FMA__) && !defined(DSP_ONE_BY_ONE)
DSP_INLINE real8 fma8(real8 a, real8 b, real8 c) { return __builtin_ia32_vfmaddps256(a, b, c); }
#else
DSP_INLINE real8 fma8(real8 a, real8 b, real8 c) {
  for (int i = 0; i < 8; ++i) c[i] = FMA(a[i], b[i], c[i]);
  return c;
}
#endif

#else

// Registers hold four numbers: use two vectors, since the compiler would split one of eight through memory.
typedef real real4 __attribute__((vector_size(4 * sizeof(real))));
struct real8 {  // NOLINT(readability-identifier-naming): OpenCL C has float8
  real4 first;
  real4 second;
};
DSP_INLINE real8 eight(real x) { return {real4{x, x, x, x}, real4{x, x, x, x}}; }
DSP_INLINE real8 upwards8(real x) {
  return {real4{x, x + 1, x + 2, x + 3}, real4{x + 4, x + 5, x + 6, x + 7}};
}
DSP_INLINE real8 reversed8(real8 x) {
  return {__builtin_shufflevector(x.second, x.second, 3, 2, 1, 0),
          __builtin_shufflevector(x.first, x.first, 3, 2, 1, 0)};
}
DSP_INLINE real4 within4(real4 x, real4 least, real4 most) {
  x = x < most ? x : most;
  return x > least ? x : least;
}
DSP_INLINE real8 within8(real8 x, real least, real most) {
  return {within4(x.first, eight(least).first, eight(most).first),
          within4(x.second, eight(least).first, eight(most).first)};
}
DSP_INLINE real8 operator+(real8 a, real8 b) { return {a.first + b.first, a.second + b.second}; }
DSP_INLINE real8 operator-(real8 a, real8 b) { return {a.first - b.first, a.second - b.second}; }
DSP_INLINE real8 operator*(real8 a, real8 b) { return {a.first * b.first, a.second * b.second}; }
DSP_INLINE real8 operator/(real8 a, real8 b) { return {a.first / b.first, a.second / b.second}; }
DSP_INLINE real8 operator-(real8 a) { return {-a.first, -a.second}; }
DSP_INLINE real8 operator+(real8 a, real b) { return a + eight(b); }
DSP_INLINE real8 operator*(real8 a, real b) { return a * eight(b); }
DSP_INLINE real8 operator*(real a, real8 b) { return eight(a) * b; }
DSP_INLINE real4 fma4(real4 a, real4 b, real4 c) {
#ifdef DSP_FUSES
  for (int i = 0; i < 4; ++i) c[i] = FMA(a[i], b[i], c[i]);
  return c;
#else
  return a * b + c;
#endif
}
DSP_INLINE real8 fma8(real8 a, real8 b, real8 c) {
  return {fma4(a.first, b.first, c.first), fma4(a.second, b.second, c.second)};
}

#endif

DSP_INLINE real8 load8(const real* words) {
  real8 x;
  memcpy(&x, words, sizeof x);
  return x;
}
DSP_INLINE void store8(real* words, real8 x) { memcpy(words, &x, sizeof x); }

DSP_END

#endif
