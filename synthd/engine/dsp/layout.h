// SPDX-License-Identifier: MIT
// Memory layout shared by host and device. Frames count from the first frame of the first tile that the chunk
// touches: tiles lie on the station's own sample axis, and a chunk may start anywhere in a tile.
#ifndef AURALIS_DSP_LAYOUT_H
#define AURALIS_DSP_LAYOUT_H

#ifndef __OPENCL_VERSION__
#include <stdint.h>
namespace auralis {
#endif

enum {
  kTileFrames = 64,               // slow modulation is linear over a tile
  kPartFrames = kTileFrames / 2,  // span of a pad's polynomial, if it cannot span a whole tile (pad_sums.h)
  kRowFrames = 16,                // part of a tile: leads are computed outwards from its middle (leads.h)
  kHalfRow = kRowFrames / 2,
  kTileRows = kTileFrames / kRowFrames,
  kBlockTiles = 8,  // tiles mixed together, by one work item or by one per row
  kBlockRows = kBlockTiles * kTileRows,
  kBlockFrames = kBlockTiles * kTileFrames,
  kCurves = 4,          // curves per voice (voices.h)
  kGroups = 4,          // groups of voices, as VoiceType: pads, leads, kicks, swells
  kReverbLines = 8,     // delay lines per reverb
  kReverbs = 2,         // reverbs per station, fed alternately (reverb.h)
  kFinishFrames = 512,  // frames finished by one group of work items
  kPlanes = 4           // planes of a bus (mix.h)
};

// Offsets of a lead's steps: sine and cosine of the phase from a row's middle to each of its later frames.
enum { kStepSines, kStepCosines = kHalfRow, kStepWords = 2 * kHalfRow };

enum { kPadTerms = 9 };  // coefficients of a pad's polynomial (pad_sums.h)

// Constants of an engine, the same for all chunks.
struct DspShape {
  uint32_t chunk_frames;
  uint32_t tiles;          // maximum that a chunk touches, rounded up to whole blocks
  uint32_t curve_points;   // per curve: 1 before the first tile, 1 at each tile's start, 2 after the last
  uint32_t voice_stride;   // distance between the voices of two stations, in voices
  uint32_t reverb_frames;  // words per reverb
  uint32_t tremolo_increment;
  uint32_t vibrato_increment;
  uint32_t colour_increment;
  float second_frames;
  float pad_release_frames;
  float lead_release_frames;
  float kick_frames;
  float reverb_level;
  uint32_t line_begin[kReverbLines];  // offset in a reverb, in words
  uint32_t line_frames[kReverbLines];
  float line_gain[kReverbLines];  // feedback gain for the decay time, with the matrix's normalisation
};

struct PackedVoice {
  int32_t start;       // negative if it started before the first tile
  int32_t frames;      // length
  int32_t gate;        // hold time in frames
  uint32_t increment;  // 2^32 = one turn per frame
  uint32_t second;     // pad: increment of the saw; swell: growth of the increment per frame
  uint32_t seed;
  float left;
  float right;
  float shape;  // pad: steepness of the saw's edge, per 2^-32 turn; lead: brightness, 0 to 1
  uint32_t reserved;
};

struct PackedStation {
  uint32_t first_tile;   // its number on the sample axis, lower 32 bits
  uint32_t first_frame;  // the chunk's first frame in that tile
  uint32_t axis_frame;   // the chunk's first frame on the sample axis, lower 32 bits; for the dither
  uint32_t dither_seed;
  uint32_t index;          // of the station in the engine; selects its reverbs
  uint32_t reverb_clear;   // 1: clear both reverbs first
  uint32_t reverb_fed;     // index of the reverb that is fed at the chunk's first frame
  uint32_t reverb_switch;  // frame of the chunk where the other one becomes the fed one; >= its length: never
  uint32_t reverb_fade;    // frame of the chunk from which the one not fed is silent
  uint32_t ends[kGroups];  // voices of group g have the indices ends[g-1] .. ends[g]-1
  float gains_start[kGroups];
  float gains_end[kGroups];
  uint32_t line_position[kReverbLines];  // word of the chunk's first frame in each delay line
};

#ifdef __OPENCL_VERSION__
typedef struct DspShape DspShape;
typedef struct PackedVoice PackedVoice;
typedef struct PackedStation PackedStation;
#else
static_assert(sizeof(DspShape) == 52 + 12 * kReverbLines && sizeof(PackedVoice) == 40 &&
                  sizeof(PackedStation) == 36 + 12 * kGroups + 4 * kReverbLines,
              "the same in OpenCL C, where no member is padded");
static_assert(kHalfRow == 8, "half a row is a real8 (eight.h)");
static_assert(kBlockTiles == 8, "a number for each tile of a block is a real8 (pad_sums.h)");
}  // namespace auralis
#endif

#endif
