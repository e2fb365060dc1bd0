// SPDX-License-Identifier: MIT
// The edges of pads' saws. A saw is a straight line until it falls, which pad_sums.h goes on with as it is in
// the first frame that the lane has of a tile. So from an edge on the lane's frames of the tile lie half of a
// quarter saw's height lower, in steps from half row to half row, and the two half rows that the edge touches
// follow its slope.
#ifndef AURALIS_DSP_PAD_SAWS_H
#define AURALIS_DSP_PAD_SAWS_H

#ifndef __OPENCL_VERSION__
#include "synthd/engine/dsp/voices.h"
#endif

// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result): all of a station is small
DSP_BEGIN

// How much lower the lane's frames of a tile lie from a half row on than before it: left and right, each in
// the tile's first frame and how that grows a frame. Edges behind the lane leave theirs behind it.
#define STEP_HALVES (LANE_HALVES + 6)
struct PadSteps {
  real sides[STEP_HALVES][4];
};

DSP_INLINE void clear_steps(struct PadSteps* steps) {
  for (uint32_t half_row = 0; half_row < STEP_HALVES; half_row += 2u) {
    store8(steps->sides[half_row], eight(REAL(0.0)));
  }
}

// A range of 32 frames has at most one edge, from 3 frames before its first to the 28th behind it.
#define EDGE_RANGE 32
#define LANE_RANGES ((LANE_HALVES * kHalfRow + 6) / EDGE_RANGE + 1)

// Edges are found pad by pad and drawn together: a processor foresees one loop over many, but not many loops
// over two or three. Of a pad EDGES_A_TIME are looked for at once, which are all up to FEW_EDGES.
#if DSP_LANES > 1
#define EDGES_A_TIME 1
#define FEW_EDGES HIGHEST_OF_PARTS
#define MOST_EDGES 16
#else
#define EDGES_A_TIME 8
#define FEW_EDGES 60000000u  // an increment
#define MOST_EDGES 136
#endif
struct PadEdges {
  uint32_t count;
  uint32_t pads[MOST_EDGES];
  uint32_t halves[MOST_EDGES];  // the later of its half rows, in the lane
  uint32_t levels[MOST_EDGES];  // where the level at the start of that one's tile is among all curves
  real frames[MOST_EDGES];      // from there to that half row
  real distances[MOST_EDGES];   // from the edge to the earlier half row, in units of 4 frames
  real biases[MOST_EDGES];      // from the line to the edge's middle, in the later half row
  real steps[MOST_EDGES];       // how much lower what follows in the tile lies
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
  const uint32_t place = edges->count;
  uint32_t count = 0;
  VECTORISE for (uint32_t k = 0; k < EDGES_A_TIME; ++k) {
    // The first range whose last frame is not before the edge. What is near a whole number is taken too low,
    // and mended: phases tell exactly.
    uint32_t range = (uint32_t)(int32_t)FMA((real)(int32_t)(begin + k) + ahead, period, REAL(0.999));
    uint32_t at = last + a_range * range;  // how far the saw has turned since the edge
    range += at < a_range ? 0u : 1u;
    at += at < a_range ? 0u : a_range;
    const real halves = (real)(int32_t)at * (steepness * REAL(0.5));  // from the edge to that frame
    const uint32_t later = (uint32_t)(EDGE_RANGE / kHalfRow - 1 - (int32_t)halves);
    const uint32_t half_row = range * (EDGE_RANGE / kHalfRow) + later;
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

// What edge `e` adds to the steps, and what it adds to the lane.
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
  const real8 start = eight(levels[0]);
  const real8 rise = (eight(levels[1]) - start) * (REAL(1.0) / kTileFrames);
  // The earlier half row may belong to the tile before, whose level goes on so nearly alike that it does not
  // matter.
  const real8 level = fma8(upwards + edges->frames[e], rise, start);
  const real8 distance = fma8(upwards, eight(REAL(0.25)), eight(edges->distances[e]));
  const real8 earlier = fma8(rise, eight(REAL(-8.0)), level) * quarter_edge(distance, eight(REAL(-0.25)));
  const real8 later = level * quarter_edge(distance + REAL(2.0), eight(edges->biases[e]));
  real* RESTRICT left = LANE_FRAMES(lane->left, half_row) - kHalfRow;
  real* RESTRICT right = LANE_FRAMES(lane->right, half_row) - kHalfRow;
  add_half(voice->left, earlier, left);
  add_half(voice->left, later, left + kHalfRow);
  add_half(voice->right, earlier, right);
  add_half(voice->right, later, right + kHalfRow);
}

DSP_END
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

#endif
