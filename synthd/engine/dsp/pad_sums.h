// SPDX-License-Identifier: MIT
// The sum of all pads as polynomials, from which pads.h computes the frames. A low tone, as most are, turns
// so little in a tile that it is a polynomial of the tile's frames: sin(a + b) = sin(a) cos(b) + cos(a)
// sin(b), where a is the phase in the tile's middle and b how far a frame is from it, times a level that is a
// straight line. A higher tone is a polynomial of half a tile (a part). The line of a saw goes into the
// tile's coefficients; its edges are in pad_saws.h.
//
//   frame n of a tile    0 ............. 31 | 32 ............ 63
//   x of the tile       -1 .............. 0 ............... +1      (n - 31.5) / 32
//   x of a part         -1 ..... 0 ..... +1 | -1 ..... 0 ..... +1   (n - 15.5) / 16, n from the part's start
//
// Signal flow: the coefficients cost a few products a voice and tile, the frames the same for any number of
// voices.
//
//   pad_terms (once a voice)    cos, sin of b as powers of x: terms[0 .. 8]
//        |
//   add_pad, voice 0 -. level(x) * (sine(x) + line(x)) * {left, right gain}
//   add_pad, voice 1 -+--> PadSums --draw_pads (pads.h)--> Lane.left, Lane.right, 64 frames a tile
//   add_pad, voice 2 -'
//
//   PadSums, each [coefficient of x^0 .. x^8][tile of the lane]:
//     tiles_left, tiles_right              sines up to HIGHEST_OF_TILES, and the lines of all saws
//     parts_left[part], parts_right[part]  sines above that, up to HIGHEST_OF_PARTS
//
// One lane a block (DSP_LANES 1): a row of coefficients is 8 numbers, one for each tile of the block, in one
// real8; both parts. Else a work item has one row of one tile: one number, and the part that its row is in.
#ifndef AURALIS_DSP_PAD_SUMS_H
#define AURALIS_DSP_PAD_SUMS_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/pad_saws.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// A number for each of a lane's tiles.
#if DSP_LANES > 1
typedef real Tiles;
#define EACH_TILE(x) (x)
#define LOAD_TILES(words) (*(words))
#define STORE_TILES(words, x) (*(words) = (x))
#define FMA_TILES(a, b, c) FMA(a, b, c)
#else
typedef real8 Tiles;
#define EACH_TILE(x) eight(x)
#define LOAD_TILES(words) load8(words)
#define STORE_TILES(words, x) store8(words, x)
#define FMA_TILES(a, b, c) fma8(a, b, c)
#endif

#define PART_MIDDLE ((kPartFrames - 1) * REAL(0.5))
#if DSP_LANES > 1
#define LANE_PARTS 1
#else
#define LANE_PARTS 2
#endif

// Coefficients of x^0 to x^8, x from -1 to 1 over a tile or a part, for both sides.
struct PadSums {
  real tiles_left[kPadTerms][LANE_TILES];
  real tiles_right[kPadTerms][LANE_TILES];
  real parts_left[LANE_PARTS][kPadTerms][LANE_TILES];
  real parts_right[LANE_PARTS][kPadTerms][LANE_TILES];
};

DSP_INLINE void clear_terms(real (*side)[LANE_TILES]) {
  for (uint32_t k = 0; k < kPadTerms; ++k) STORE_TILES(side[k], EACH_TILE(REAL(0.0)));
}

// Where the coefficients of a tone belong, and how much of them.
struct PadSides {
  real (*left)[LANE_TILES];
  real (*right)[LANE_TILES];
  real left_gain;
  real right_gain;
};

DSP_INLINE void add_term(struct PadSides sides, uint32_t k, Tiles term) {
  STORE_TILES(sides.left[k], FMA_TILES(EACH_TILE(sides.left_gain), term, LOAD_TILES(sides.left[k])));
  STORE_TILES(sides.right[k], FMA_TILES(EACH_TILE(sides.right_gain), term, LOAD_TILES(sides.right[k])));
}

// A sine that has turned to `phase` in the middle of the first tile, or of a part of it, is of level `level`
// there and rises by `rise` to x = 1; and what else there is of x^0 to x^2. `terms` is what pad_terms gives.
// The sine's own part of x^9 is left out: below 4e-7 of full level at the steepest
// attack at 44.1 kHz.
DSP_INLINE void add_wave(uint32_t phase, uint32_t increment, GLOBAL const real* terms, Tiles level,
                         Tiles rise, Tiles flat, Tiles linear, Tiles square, struct PadSides sides) {
  real sines[LANE_TILES];
  real cosines[LANE_TILES];
  VECTORISE for (uint32_t t = 0; t < LANE_TILES; ++t) {
    sines[t] = sine(phase + increment * (t * kTileFrames));
    cosines[t] = sine(phase + increment * (t * kTileFrames) + QUARTER_TURN);
  }
  const Tiles even = level * LOAD_TILES(sines);
  const Tiles odd = level * LOAD_TILES(cosines);
  const Tiles more_even = rise * LOAD_TILES(sines);
  const Tiles more_odd = rise * LOAD_TILES(cosines);
  add_term(sides, 0, even + flat);
  add_term(sides, 1, FMA_TILES(EACH_TILE(terms[1]), odd, more_even + linear));
  add_term(sides, 2, FMA_TILES(EACH_TILE(terms[2]), even, FMA_TILES(EACH_TILE(terms[1]), more_odd, square)));
  add_term(sides, 3, FMA_TILES(EACH_TILE(terms[3]), odd, terms[2] * more_even));
  add_term(sides, 4, FMA_TILES(EACH_TILE(terms[4]), even, terms[3] * more_odd));
  add_term(sides, 5, FMA_TILES(EACH_TILE(terms[5]), odd, terms[4] * more_even));
  add_term(sides, 6, FMA_TILES(EACH_TILE(terms[6]), even, terms[5] * more_odd));
  add_term(sides, 7, FMA_TILES(EACH_TILE(terms[7]), odd, terms[6] * more_even));
  add_term(sides, 8, FMA_TILES(EACH_TILE(terms[8]), even, terms[7] * more_odd));
}

// Adds a pad, except the edges of its saw.
DSP_INLINE void add_pad(GLOBAL const PackedVoice* voice, GLOBAL const real* levels, GLOBAL const real* terms,
                        uint32_t tile, uint32_t row, struct PadSums* RESTRICT sums) {
  const uint32_t increment = voice->increment;
  const uint32_t saw_increment = voice->second;
  const uint32_t saw_phase = pad_saw_phase(voice, tile, row, 0);
  const real saw_slope = (real)saw_increment * (REAL(0.5) / TURN);  // a frame
  const real to_middle = saw_slope * (TILE_MIDDLE - (real)(int32_t)(row * kRowFrames));
  real bases[LANE_TILES];
  VECTORISE for (uint32_t t = 0; t < LANE_TILES; ++t) {
    // The line that the lane's first frame of the tile is on, in the tile's middle.
    bases[t] = FMA(REAL(0.5), centred(saw_phase + saw_increment * (t * kTileFrames)), to_middle);
  }
  const Tiles base = LOAD_TILES(bases);
  const Tiles slope = EACH_TILE(saw_slope * (kTileFrames * REAL(0.5)));
  const Tiles start = LOAD_TILES(levels);
  const Tiles whole_rise = LOAD_TILES(levels + 1) - start;
  const Tiles level = FMA_TILES(whole_rise, EACH_TILE(TILE_MIDDLE / kTileFrames), start);
  const Tiles rise = whole_rise * REAL(0.5);
  const Tiles flat = level * base;
  const Tiles linear = FMA_TILES(level, slope, rise * base);
  const Tiles square = rise * slope;
  const uint32_t phase =
      increment * (tile * kTileFrames - (uint32_t)voice->start) + increment / 2u + voice->seed;
  struct PadSides sides;
  sides.left = sums->tiles_left;
  sides.right = sums->tiles_right;
  sides.left_gain = voice->left;
  sides.right_gain = voice->right;
  if (increment <= HIGHEST_OF_TILES) {
    add_wave(phase + increment * (kTileFrames / 2 - 1), increment, terms, level, rise, flat, linear, square,
             sides);
    return;
  }
  add_term(sides, 0, flat);
  add_term(sides, 1, linear);
  add_term(sides, 2, square);
  const Tiles none = EACH_TILE(REAL(0.0));
  for (uint32_t q = 0; q < LANE_PARTS; ++q) {
    const uint32_t part = (row / (kTileRows / 2) + q) * kPartFrames;
    const real middle = (real)(int32_t)part + PART_MIDDLE;
    sides.left = sums->parts_left[q];
    sides.right = sums->parts_right[q];
    add_wave(phase + increment * (part + kPartFrames / 2 - 1), increment, terms,
             FMA_TILES(whole_rise, EACH_TILE(middle * (REAL(1.0) / kTileFrames)), start),
             whole_rise * REAL(0.25), none, none, none, sides);
  }
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
