// SPDX-License-Identifier: MIT
// What crosses over to a device, as both sides see it. Frames are counted from the first frame of the first
// tile that the chunk touches: tiles lie on the station's own sample axis, a chunk begins anywhere in one.
#ifndef AURALIS_DSP_LAYOUT_H
#define AURALIS_DSP_LAYOUT_H

#ifndef __OPENCL_VERSION__
#include <stdint.h>
namespace auralis {
#endif

enum {
  kTileFrames = 64,               // slow movements are straight lines over a tile
  kPartFrames = kTileFrames / 2,  // that a pad's polynomial spans where it cannot span a tile (pad_sums.h)
  kRowFrames = 16,                // of a tile: a lead's waves turn from the row's middle on (leads.h)
  kHalfRow = kRowFrames / 2,
  kTileRows = kTileFrames / kRowFrames,
  kBlockTiles = 8,  // that are mixed together, by a work item or by one a row
  kBlockRows = kBlockTiles * kTileRows,
  kBlockFrames = kBlockTiles * kTileFrames,
  kCurves = 4,          // a voice (voices.h)
  kGroups = 4,          // as VoiceType: pads, leads, kicks, swells
  kReverbLines = 8,     // delay lines of a reverb
  kReverbs = 2,         // take turns (reverb.h)
  kFinishFrames = 512,  // that a group of work items finishes
  kPlanes = 4           // of a bus (mix.h)
};

// Places of the steps of a lead: how far its wave turns from a row's middle to each of its later frames.
enum { kStepSines, kStepCosines = kHalfRow, kStepWords = 2 * kHalfRow };

enum { kPadTerms = 9 };  // of a pad's polynomials (pad_sums.h)

// The same for all chunks of an engine.
struct DspShape {
  uint32_t chunk_frames;
  uint32_t tiles;          // most that a chunk touches, to whole blocks
  uint32_t curve_points;   // a curve: one before the first tile, one at the start of each, two after the last
  uint32_t voice_stride;   // voices of one station to those of the next
  uint32_t reverb_frames;  // words of a reverb
  uint32_t tremolo_increment;
  uint32_t vibrato_increment;
  uint32_t colour_increment;
  float second_frames;
  float pad_release_frames;
  float lead_release_frames;
  float kick_frames;
  float reverb_level;
  uint32_t line_begin[kReverbLines];  // in a reverb
  uint32_t line_frames[kReverbLines];
  float line_gain[kReverbLines];  // of a round, by the decay time; orthogonal matrix included
};

struct PackedVoice {
  int32_t start;       // negative for one that sounds already
  int32_t frames;      // from its start to its end
  int32_t gate;        // frames that it is held
  uint32_t increment;  // 2^32 = one turn a frame
  uint32_t second;     // pad: increment of the saw; swell: by how much the increment grows a frame
  uint32_t seed;
  float left;
  float right;
  float shape;  // pad: steepness of the saw's edge, a 2^-32 turn; lead: brightness, 0 to 1
  uint32_t reserved;
};

struct PackedStation {
  uint32_t first_tile;   // number on the sample axis
  uint32_t first_frame;  // of the chunk, in the tile; both lower halves
  uint32_t axis_frame;   // of the chunk on the sample axis, for the dither
  uint32_t dither_seed;
  uint32_t index;          // of the station in the engine: whose reverbs
  uint32_t reverb_clear;   // its reverbs hold nothing of use
  uint32_t reverb_fed;     // which of the two is fed at the chunk's first frame
  uint32_t reverb_switch;  // frame of the chunk from which on the other is; its length and more: none
  uint32_t reverb_fade;    // frame of the chunk from which on the one not fed is silent
  uint32_t ends[kGroups];  // voices of group g stand at ends[g-1] .. ends[g]-1
  float gains_start[kGroups];
  float gains_end[kGroups];
  uint32_t line_position[kReverbLines];  // of the chunk's first frame in each delay line
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
