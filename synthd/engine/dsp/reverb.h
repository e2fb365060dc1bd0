// SPDX-License-Identifier: MIT
// A stereo reverb: a feedback delay network of eight lines with a Hadamard matrix (Jot and Chaigne, "Digital
// delay networks for designing artificial reverberators", AES 90, 1991), each line damped by a mean of two
// neighbours.
//
// An infinite tail would make a sample depend on all samples before it. So a station has two reverbs, fed in
// turns, each for kReverbFeedMs; the other one rings out for kReverbTailMs, at the end of which it is 96 dB
// lower, and is cleared before it is fed again. So a frame depends on a limited time before it, exactly:
// rendering that starts with any chunk before that time gives the same samples.
//
//   reverb A   ################--------        ################--------        ...
//   reverb B   --------        ################--------        ################...
//              |       |       |                            # fed   - rings   blank: silent
//   frame      0  reverb_fade  reverb_switch: fed ^= 1, and the newly fed one is cleared
//
// One frame n of one reverb (reverb_run); d: the damping, 0.7 of a line's newer and 0.3 of its older word:
//
//              .---------------------------- write --------------------------.
//              v                                                             |
//   line 0 --> d --> * line_gain --> a -.             .-> a -- + left  ------'
//   line 1 --> d --> * line_gain --> b -|  Hadamard   |-> b -- + right
//   line 2 --> d --> * line_gain --> c -|  matrix:    |-> c -- - left       left, right: sent_left,
//   line 3 --> d --> * line_gain --> d -|  3 rounds   |-> d -- + right      sent_right if it is fed,
//   line 4 --> d --> * line_gain --> e -|  of 4       |-> e -- + left       else 0
//   line 5 --> d --> * line_gain --> f -|  butterflies|-> f -- - right
//   line 6 --> d --> * line_gain --> g -|             |-> g -- + left       wet_left  += level * (c + d)
//   line 7 --> d --> * line_gain --> h -'             '-> h -- + right      wet_right += level * (c - d)
//
// Memory of a station: reverb A, then reverb B, reverb_frames words each; in a reverb the lines one after the
// other, line k from line_begin[k] on. A line of L = line_frames[k] frames, before frame n is written to word
// p = n mod (L + 1):
//
//   word     0 ........ p - 1 |    p          p + 1     p + 2 ........ L    | L + 1
//   frame    n - p .... n - 1 | n - L - 1     n - L     n - L + 1 ...       | copy of word 0, for p = L
//                                older        newer
//
// L + 1 is a number of whole rows; word L + 1 begins another row. Frames are computed in runs in which no
// line wraps. DSP_LANES 1: one loop over the run, which the compiler vectorises. Else work item `lane`
// computes the frames lane, lane + DSP_LANES, ... of the run, all items in step: a barrier separates what
// they read from what they write.
#ifndef AURALIS_DSP_REVERB_H
#define AURALIS_DSP_REVERB_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/layout.h"
#include "synthd/engine/dsp/shim.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// Weight of a line's older neighbour relative to its newer one: three parts of ten.
#define REVERB_OLDER (REAL(3.0) / REAL(7.0))

#if DSP_LANES > 1
#define WAIT_FOR_LANES barrier(CLK_GLOBAL_MEM_FENCE)
#define WITHIN(i, count) ((i) < (count))
#else
#define WAIT_FOR_LANES
#define WITHIN(i, count) 1  // a condition would become masks
#endif

#define BUTTERFLY(a, b)         \
  do {                          \
    const real sum = (a) + (b); \
    (b) = (a) - (b);            \
    (a) = sum;                  \
  } while (0)

// `count` frames of one reverb, none of whose lines wraps within: they add to `wet`, which begins with the
// frame that `sent` begins with. A line of L frames lies in L + 2 words: the frame before its oldest, its L
// frames around `at`, and a copy of word 0, so that the neighbour of the last word is the next one.
DSP_INLINE void reverb_run(GLOBAL const DspShape* shape, GLOBAL real* reverb, const uint32_t* at,
                           uint32_t count, real fed, GLOBAL const real* RESTRICT sent_left,
                           GLOBAL const real* RESTRICT sent_right, GLOBAL real* RESTRICT wet_left,
                           GLOBAL real* RESTRICT wet_right, uint32_t lane) {
  GLOBAL real* l0 = reverb + shape->line_begin[0] + at[0];
  GLOBAL real* l1 = reverb + shape->line_begin[1] + at[1];
  GLOBAL real* l2 = reverb + shape->line_begin[2] + at[2];
  GLOBAL real* l3 = reverb + shape->line_begin[3] + at[3];
  GLOBAL real* l4 = reverb + shape->line_begin[4] + at[4];
  GLOBAL real* l5 = reverb + shape->line_begin[5] + at[5];
  GLOBAL real* l6 = reverb + shape->line_begin[6] + at[6];
  GLOBAL real* l7 = reverb + shape->line_begin[7] + at[7];
  const real g0 = shape->line_gain[0] * (REAL(1.0) / (REAL(1.0) + REVERB_OLDER));
  const real g1 = shape->line_gain[1] * (REAL(1.0) / (REAL(1.0) + REVERB_OLDER));
  const real g2 = shape->line_gain[2] * (REAL(1.0) / (REAL(1.0) + REVERB_OLDER));
  const real g3 = shape->line_gain[3] * (REAL(1.0) / (REAL(1.0) + REVERB_OLDER));
  const real g4 = shape->line_gain[4] * (REAL(1.0) / (REAL(1.0) + REVERB_OLDER));
  const real g5 = shape->line_gain[5] * (REAL(1.0) / (REAL(1.0) + REVERB_OLDER));
  const real g6 = shape->line_gain[6] * (REAL(1.0) / (REAL(1.0) + REVERB_OLDER));
  const real g7 = shape->line_gain[7] * (REAL(1.0) / (REAL(1.0) + REVERB_OLDER));
  const real level = REAL(0.5) * shape->reverb_level;
  VECTORISE for (uint32_t base = 0; base < count; base += DSP_LANES) {
    const uint32_t i = base + lane;
    real a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    if (WITHIN(i, count)) {
      a = g0 * FMA(REVERB_OLDER, l0[i], l0[i + 1]);
      b = g1 * FMA(REVERB_OLDER, l1[i], l1[i + 1]);
      c = g2 * FMA(REVERB_OLDER, l2[i], l2[i + 1]);
      d = g3 * FMA(REVERB_OLDER, l3[i], l3[i + 1]);
      e = g4 * FMA(REVERB_OLDER, l4[i], l4[i + 1]);
      f = g5 * FMA(REVERB_OLDER, l5[i], l5[i + 1]);
      g = g6 * FMA(REVERB_OLDER, l6[i], l6[i + 1]);
      h = g7 * FMA(REVERB_OLDER, l7[i], l7[i + 1]);
    }
    WAIT_FOR_LANES;  // a lane reads the word that its neighbour overwrites
    if (WITHIN(i, count)) {
      BUTTERFLY(a, b);
      BUTTERFLY(c, d);
      BUTTERFLY(e, f);
      BUTTERFLY(g, h);
      BUTTERFLY(a, c);
      BUTTERFLY(b, d);
      BUTTERFLY(e, g);
      BUTTERFLY(f, h);
      BUTTERFLY(a, e);
      BUTTERFLY(b, f);
      BUTTERFLY(c, g);
      BUTTERFLY(d, h);
      // (a - c) + (e - g) and (b - d) + (f - h) of what came out of the lines.
      wet_left[i] = FMA(level, c + d, wet_left[i]);
      wet_right[i] = FMA(level, c - d, wet_right[i]);
      const real left = fed * sent_left[i];
      const real right = fed * sent_right[i];
      l0[i] = a + left;
      l1[i] = b + right;
      l2[i] = c - left;
      l3[i] = d + right;
      l4[i] = e + left;
      l5[i] = f - right;
      l6[i] = g + left;
      l7[i] = h + right;
    }
    WAIT_FOR_LANES;
  }
}

// Frames `begin` to before `end` of the chunk through a station's two reverbs, after those before them. `dry`
// and `sent` begin with frame `begin`.
DSP_INLINE void reverb_frames(GLOBAL const DspShape* shape, GLOBAL const PackedStation* station,
                              GLOBAL real* reverbs, GLOBAL const real* sent_left,
                              GLOBAL const real* sent_right, GLOBAL real* dry_left, GLOBAL real* dry_right,
                              uint32_t begin, uint32_t end, uint32_t lane) {
  uint32_t at[kReverbLines];
  for (uint32_t line = 0; line < kReverbLines; ++line) {
    at[line] = (station->line_position[line] + begin) % (shape->line_frames[line] + 1u);
  }
  const uint32_t words = shape->reverb_frames;
  if (begin == 0u && station->reverb_clear != 0u) {
    for (uint32_t i = lane; i < kReverbs * words; i += DSP_LANES) reverbs[i] = REAL(0.0);
  }
  WAIT_FOR_LANES;
  uint32_t fed = station->reverb_fed ^ (begin > station->reverb_switch ? 1u : 0u);
  uint32_t frame = begin;
  while (frame < end) {
    if (frame == station->reverb_switch) {
      fed ^= 1u;
      for (uint32_t i = lane; i < words; i += DSP_LANES) reverbs[fed * words + i] = REAL(0.0);
      WAIT_FOR_LANES;
    }
    // The other rings from a switch on until it fades.
    const int rings = frame < station->reverb_fade || frame >= station->reverb_switch;
    uint32_t run_end = end;
    if (frame < station->reverb_switch && station->reverb_switch < end) run_end = station->reverb_switch;
    if (frame < station->reverb_fade && station->reverb_fade < run_end) run_end = station->reverb_fade;
    uint32_t count = run_end - frame;
    // To where all lines are at the begin of a row, and then in whole ones.
    const uint32_t to_row = (0u - at[0]) % kRowFrames;
    if (to_row != 0u && to_row < count) count = to_row;
    for (uint32_t line = 0; line < kReverbLines; ++line) {
      // To the line's last word, and no more than a line, or a frame would hear what its own run has written.
      const uint32_t words_left = shape->line_frames[line] + 1u - at[line];
      const uint32_t left = at[line] == 0u ? words_left - kRowFrames : words_left;
      if (left < count) count = left;
    }
    reverb_run(shape, reverbs + fed * words, at, count, REAL(1.0), sent_left + (frame - begin),
               sent_right + (frame - begin), dry_left + (frame - begin), dry_right + (frame - begin), lane);
    if (rings) {
      reverb_run(shape, reverbs + (fed ^ 1u) * words, at, count, REAL(0.0), sent_left + (frame - begin),
                 sent_right + (frame - begin), dry_left + (frame - begin), dry_right + (frame - begin), lane);
    }
    for (uint32_t line = 0; line < kReverbLines; ++line) {
      const uint32_t size = shape->line_frames[line] + 1u;
      if (at[line] == 0u && lane == 0u) {
        GLOBAL real* first = reverbs + shape->line_begin[line];
        first[size] = first[0];
        first[words + size] = first[words];
      }
      at[line] += count;
      if (at[line] == size) at[line] = 0u;
    }
    WAIT_FOR_LANES;
    frame += count;
  }
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
