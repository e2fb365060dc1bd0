// SPDX-License-Identifier: MIT
// The edges of pads' saws. A saw is a straight line until it falls; pad_sums.h extends the line of the first
// frame that the lane has of a tile over all of them. So behind an edge the lane's frames of the tile lie one
// saw's height lower (1/2, times the voice's level), and the two half rows that the edge touches follow its
// slope. A half row is 8 frames; an edge at `e` touches the frames from e - 4 to e + 4.
//
//   half rows of a tile   |  L - 2  |  L - 1  |    L    |  L + 1  |  L + 2  | ... the lane's end of the tile
//                                           e (within 4 frames of where L begins)
//   line (pad_sums.h)      ..................................................     of the tile's first frame
//   + edge (add_edge)      0         0 -_                                         half rows L - 1 and L alone
//                                        `-_
//                                           `- -1/2
//   + step (add_step)      0         0         0         -1/2      -1/2      ...  from L + 1 to the end
//
// If the lane's first frame of the tile already lies behind the edge, so does the line: L then follows the
// edge from +1/2 to 0, and there is no step.
//
// Data flow of a lane. All of it is the lane's own memory (the stack, or a work item's private memory):
//
//   voices, curves --find_edges--> PadEdges --add_step--> PadSteps.sides[L + 1] --.
//   pad by pad,                    arrays,  |             {left, left a frame,    |
//   EDGES_A_TIME at once           an entry |              right, right a frame}  |
//                                  an edge  |                                     v
//                                           `-add_edge--> Lane.left, Lane.right <-- draw_pads (pads.h), which
//                                                         half rows L - 1 and L      sums the steps up
//
// A range is 32 frames of the lane and has the edges whose half rows L are its own four:
//
//   frame of the lane    -4   0                       28   32                      60   64
//                         (          range 0           ](          range 1           ](  ...
//
// One lane a block (DSP_LANES 1): 8 tiles, 512 frames, 17 ranges. Else a work item has one row of one tile:
// 16 frames, one range.
#ifndef AURALIS_DSP_PAD_SAWS_H
#define AURALIS_DSP_PAD_SAWS_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/voices.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// How much lower the lane's frames of a tile lie from a half row on than before it: left and right, each in
// the tile's first frame and how that grows a frame. Those behind the lane are unused.
#define STEP_HALVES (LANE_RANGES * EDGE_RANGE_HALVES + 2)
struct PadSteps {
  real sides[STEP_HALVES][4];
};

DSP_INLINE void clear_steps(struct PadSteps* steps) {
  for (uint32_t half_row = 0; half_row < STEP_HALVES; half_row += 2u) {
    store8(steps->sides[half_row], eight(REAL(0.0)));
  }
}

// Edges are found pad by pad and drawn together: a processor foresees one loop over many, but not many loops
// over two or three. Of a pad EDGES_A_TIME are looked for at once. That is all that it has in the lane's
// ranges up to an increment of HIGHEST_OF_FEW_EDGES, where the saw's is 0.3 % greater at most; up to
// HIGHEST_OF_PARTS it is half of them.
#if DSP_LANES > 1
#define EDGES_A_TIME 1
#define HIGHEST_OF_FEW_EDGES HIGHEST_OF_PARTS
#define MOST_EDGES 16
#else
#define EDGES_A_TIME 8
#define HIGHEST_OF_FEW_EDGES (EDGES_A_TIME * (0xffffffffu / (LANE_RANGES * EDGE_RANGE)) / 1003u * 1000u)
#define MOST_EDGES 128
#endif
#define EDGE_PLACES (MOST_EDGES + 2 * EDGES_A_TIME)  // with those of a pad that is looked through
struct PadEdges {
  uint32_t count;
  uint32_t pads[EDGE_PLACES];
  uint32_t halves[EDGE_PLACES];  // the later of its half rows, in the lane
  uint32_t levels[EDGE_PLACES];  // where the level at the start of that one's tile is among all curves
  real frames[EDGE_PLACES];      // from there to that half row
  real distances[EDGE_PLACES];   // from the edge to the earlier half row, in units of 4 frames
  real biases[EDGE_PLACES];      // from the line to the edge's middle, in the later half row
  real steps[EDGE_PLACES];       // how much lower what follows in the tile lies
};

// Phase of a pad's saw in the lane's frame `ahead`.
DSP_INLINE uint32_t pad_saw_phase(GLOBAL const PackedVoice* voice, uint32_t tile, uint32_t row,
                                  uint32_t ahead) {
  const uint32_t n = tile * kTileFrames + row * kRowFrames + ahead - (uint32_t)voice->start;
  return voice->second * n + hash(voice->seed + 1u);
}

DSP_INLINE real8 quarter_edge(real8 distance, real8 bias) {
  const real8 x = within8(distance, REAL(-1.0), REAL(1.0));
  return fma8(x, QUARTER_EDGE(fma8, eight, x * x), bias);
}

// Finds edges of a pad from its lane's edge `begin` on.
DSP_INLINE void find_edges(GLOBAL const DspShape* shape, GLOBAL const PackedVoice* voice, uint32_t pad,
                           uint32_t begin, uint32_t tile, uint32_t row, struct PadEdges* RESTRICT edges) {
  const uint32_t increment = voice->second;
  const real steepness = voice->shape;
  const uint32_t levels = pad * (kCurves * shape->curve_points) + LEVEL * shape->curve_points + tile + 1u;
  const uint32_t a_range = increment * EDGE_RANGE;
  const uint32_t last = pad_saw_phase(voice, tile, row, EDGE_RANGE - 4);  // frame of the first range
  const real period = steepness * (TURN * REAL(4.0) / EDGE_RANGE);        // in ranges
  // From there to the first edge, in periods: that one may lie in the first range, behind it.
  const real ahead = (last < a_range ? REAL(0.0) : REAL(1.0)) - (real)(last >> 8) * (REAL(256.0) / TURN);
  const size_t place = edges->count;  // no 32-bit number that might wrap: the compiler would not vectorise
  uint32_t count = 0;
  VECTORISE for (uint32_t k = 0; k < EDGES_A_TIME; ++k) {
    // The first range whose 28th frame is not before the edge. What lies a little above a whole number is
    // taken too low, and mended, since phases tell exactly; rounding is less than that little where a period
    // is shorter than ten seconds.
    uint32_t range = (uint32_t)(int32_t)FMA((real)(int32_t)(begin + k) + ahead, period, REAL(0.999));
    uint32_t at = last + a_range * range;  // how far the saw has turned since the edge
    range += at < a_range ? 0u : 1u;
    at += at < a_range ? 0u : a_range;
    // Half rows from the edge to that frame: less than 4, whatever the rounding; `at` may have 32 bits.
    const real halves = least((real)(int32_t)(at >> 1) * steepness, REAL(3.9999998));
    const uint32_t later = (uint32_t)(EDGE_RANGE_HALVES - 1 - (int32_t)halves);
    const uint32_t half_row = range * EDGE_RANGE_HALVES + later;
    // In the first of the lane's frames of a tile or before: the line there lies behind it.
    const uint32_t begins =
        (range * EDGE_RANGE % TILE_SHARE == 0u ? 1u : 0u) & (at >= increment * (EDGE_RANGE - 4) ? 1u : 0u);
    const uint32_t steps = (begins ^ 1u) & ((half_row + 1u) % (2u * LANE_ROWS) != 0u ? 1u : 0u);
    const uint32_t in_tiles = row * 2u + half_row;
    edges->pads[place + k] = pad;
    edges->halves[place + k] = half_row;
    edges->levels[place + k] = levels + in_tiles / (2u * kTileRows);
    edges->frames[place + k] = (real)(int32_t)(in_tiles % (2u * kTileRows) * kHalfRow);
    edges->distances[place + k] = FMA(halves + (real)(int32_t)later, REAL(2.0), REAL(-9.0));
    edges->biases[place + k] = (real)(int32_t)begins * REAL(0.5) - REAL(0.25);
    edges->steps[place + k] = (real)(int32_t)steps * REAL(-0.5);
    count += range < LANE_RANGES ? 1u : 0u;
  }
  edges->count += count;
}

// Adds edge `e`: add_step() its part to the steps, add_edge() its part to the lane.
DSP_INLINE void add_step(GLOBAL const PackedVoice* voices, GLOBAL const real* all_curves,
                         const struct PadEdges* edges, uint32_t e, struct PadSteps* RESTRICT steps) {
  GLOBAL const PackedVoice* voice = voices + edges->pads[e];
  GLOBAL const real* levels = all_curves + edges->levels[e];
  const real step = edges->steps[e] * levels[0];
  const real rise = (levels[1] - levels[0]) * (edges->steps[e] * (REAL(1.0) / kTileFrames));
  real* RESTRICT sides = steps->sides[edges->halves[e] + 1u];
  sides[0] = FMA(voice->left, step, sides[0]);
  sides[1] = FMA(voice->left, rise, sides[1]);
  sides[2] = FMA(voice->right, step, sides[2]);
  sides[3] = FMA(voice->right, rise, sides[3]);
}

DSP_INLINE void add_edge(GLOBAL const PackedVoice* voices, GLOBAL const real* all_curves,
                         const struct PadEdges* edges, uint32_t e, struct Lane* RESTRICT lane) {
  GLOBAL const PackedVoice* voice = voices + edges->pads[e];
  GLOBAL const real* levels = all_curves + edges->levels[e];
  const uint32_t half_row = edges->halves[e];
  const real8 upwards = upwards8(REAL(0.0));
  const real frames = edges->frames[e];
  const real8 start = eight(levels[0]);
  const real8 rise = (eight(levels[1]) - start) * (REAL(1.0) / kTileFrames);
  const real8 level = fma8(upwards + frames, rise, start);
  // The earlier half row may be the last of the tile before.
  const int before = frames == REAL(0.0) ? 1 : 0;
  const real earlier_frames = before ? REAL(1.0) * (kTileFrames - kHalfRow) : frames - REAL(1.0) * kHalfRow;
  const real8 earlier_start = eight(levels[-before]);
  const real8 earlier_rise = (eight(levels[1 - before]) - earlier_start) * (REAL(1.0) / kTileFrames);
  const real8 earlier_level = fma8(upwards + earlier_frames, earlier_rise, earlier_start);
  const real8 distance = fma8(upwards, eight(REAL(0.25)), eight(edges->distances[e]));
  const real8 earlier = earlier_level * quarter_edge(distance, eight(REAL(-0.25)));
  const real8 later = level * quarter_edge(distance + REAL(2.0), eight(edges->biases[e]));
  real* RESTRICT left = LANE_FRAMES(lane->left, half_row) - kHalfRow;
  real* RESTRICT right = LANE_FRAMES(lane->right, half_row) - kHalfRow;
  add_half(voice->left, earlier, left);
  add_half(voice->left, later, left + kHalfRow);
  add_half(voice->right, earlier, right);
  add_half(voice->right, later, right + kHalfRow);
}

// Draws the edges found so far.
DSP_INLINE void draw_edges(GLOBAL const PackedVoice* voices, GLOBAL const real* all_curves,
                           struct PadEdges* edges, struct PadSteps* RESTRICT steps,
                           struct Lane* RESTRICT lane) {
  for (uint32_t e = 0; e < edges->count; ++e) add_step(voices, all_curves, edges, e, steps);
  for (uint32_t e = 0; e < edges->count; ++e) add_edge(voices, all_curves, edges, e, lane);
  edges->count = 0;
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
