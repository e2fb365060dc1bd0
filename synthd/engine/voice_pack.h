// SPDX-License-Identifier: MIT
// From voices to what crosses over to a device (dsp/layout.h): each voice becomes the tones that it is made
// of, relative to the tiles of its chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "synthd/engine/dsp/layout.h"
#include "synthd/engine/engine.h"

namespace auralis {

DspShape dsp_shape(const EngineShape& shape);

// Numbers that a station's memory holds: the curves of its tones, the bus of a chunk or of a block, its
// reverbs.
inline std::size_t curve_words(const DspShape& dsp) {
  return std::size_t{dsp.voice_stride} * kCurves * dsp.curve_points;
}
inline std::size_t bus_words(const DspShape& dsp) { return std::size_t{kPlanes} * dsp.tiles * kTileFrames; }
inline constexpr std::size_t kBlockBusWords = std::size_t{kPlanes} * kBlockFrames;
inline std::size_t reverb_words(const DspShape& dsp) { return std::size_t{kReverbs} * dsp.reverb_frames; }

// The two reverbs of a station are fed in turns so long each, and ring so long after that.
inline constexpr std::uint32_t kReverbFeedMs = 8'000;
inline constexpr std::uint32_t kReverbTailMs = 4'000;

// The first frame that is still audible in the reverb at `frame`, never below 0: rendering must start with
// its chunk for `frame` to sound as in a station that was never interrupted. `dither_seed` is the station's:
// it spreads the turns of stations, so that they do not clear their reverbs at the same time.
std::int64_t reverb_start(std::int64_t frame, std::uint32_t dither_seed, std::uint32_t sample_rate);

// Whether an engine of that shape can render the batch: no more chunks than stations, each of another station
// that there is. For asserts.
bool is_batch(const EngineShape& shape, const StationChunk* batch, std::size_t count);

// Packs chunks, a thread each. Its memory is taken when it is made.
class VoicePacker {
 public:
  explicit VoicePacker(const EngineShape& shape);

  // Packs the tones of those voices of `chunk` that sound in it: at most shape.voices into `voices`. Returns
  // how many were left out. Deterministic: neither the order of the voices nor what was packed before counts.
  std::size_t pack(const StationChunk& chunk, PackedVoice* voices, PackedStation& station);

 private:
  // A tone of a voice.
  struct Tone {
    const Voice* voice;
    std::uint32_t part;  // of a pad: 0 or 1; of a lead: number of the echo
    std::int64_t start;
    float gain;
  };

  void collect(const Voice& voice, std::int64_t begin, std::int64_t end);
  void pack_tone(const Tone& tone, std::int64_t first_tile_frame, PackedVoice& packed) const;

  EngineShape shape_;
  DspShape dsp_;
  std::vector<Tone> tones_;
};

// The frame that each station's reverbs have reached. One thread.
class StationPositions {
 public:
  explicit StationPositions(const EngineShape& shape)
      : chunk_frames_(shape.chunk_frames), next_frames_(shape.stations, -1) {}

  std::int64_t next_frame(std::size_t station) const { return next_frames_.at(station); }

  void forget(std::size_t station) { next_frames_.at(station) = -1; }

  // Moves the station to the end of the chunk, which is about to be rendered. True if the chunk does not
  // continue the last one: then the reverbs must be cleared.
  bool advance(const StationChunk& chunk) {
    std::int64_t& next = next_frames_.at(chunk.station);
    const bool restarts = next != chunk.first_frame;
    next = chunk.first_frame + chunk_frames_;
    return restarts;
  }

 private:
  std::uint32_t chunk_frames_;
  std::vector<std::int64_t> next_frames_;
};

}  // namespace auralis
