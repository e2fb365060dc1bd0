// SPDX-License-Identifier: MIT
// Packs voices into the device's layout (dsp/layout.h): splits each voice into its tones, positioned relative
// to the tiles of the chunk.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/thread_checker.h"
#include "synthd/engine/dsp/layout.h"
#include "synthd/engine/engine.h"

namespace auralis {

DspShape dsp_shape(const EngineShape& shape);

// Sizes of a station's memory, in numbers: the curves of its tones, the bus of a chunk or of a block, its
// reverbs.
inline std::size_t curve_words(const DspShape& dsp) {
  return std::size_t{dsp.voice_stride} * kCurves * dsp.curve_points;
}
inline std::size_t bus_words(const DspShape& dsp) { return std::size_t{kPlanes} * dsp.tiles * kTileFrames; }
inline constexpr std::size_t kBlockBusWords = std::size_t{kPlanes} * kBlockFrames;
inline std::size_t reverb_words(const DspShape& dsp) { return std::size_t{kReverbs} * dsp.reverb_frames; }

// A station's two reverbs alternate: each is fed for kReverbFeedMs, then rings out for kReverbTailMs.
inline constexpr std::uint32_t kReverbFeedMs = 8'000;
inline constexpr std::uint32_t kReverbTailMs = 4'000;

// Returns the first frame that is still audible in the reverb at `frame`, never below 0. A warm-up starts
// with the chunk of that frame; then `frame` sounds as in uninterrupted rendering. `dither_seed` is the
// station's: it staggers the turns of stations, so that they do not clear their reverbs at the same time.
std::int64_t reverb_start(std::int64_t frame, std::uint32_t dither_seed, std::uint32_t sample_rate);

// True if an engine of that shape can render the batch: all stations are in range, and none appears twice.
// For asserts.
bool is_batch(const EngineShape& shape, const StationChunk* batch, std::size_t count);

// Packs chunks. One thread; the constructor allocates its memory.
class VoicePacker {
 public:
  explicit VoicePacker(const EngineShape& shape);

  // Packs the tones that sound in `chunk`, at most shape.voices, into `voices`. Returns the number of dropped
  // tones. Deterministic: the result depends neither on the order of the voices nor on earlier calls.
  std::size_t pack(const StationChunk& chunk, PackedVoice* voices, PackedStation& station);

 private:
  struct Tone {
    const Voice* voice;
    std::uint32_t part;  // pad: 0 or 1; lead: number of the echo, 0 is the tone itself
    std::int64_t start;
    float gain;
  };

  void collect(const Voice& voice, std::int64_t begin, std::int64_t end);
  void pack_tone(const Tone& tone, std::int64_t first_tile_frame, PackedVoice& packed) const;

  ThreadChecker checker_;
  EngineShape shape_;
  DspShape dsp_;
  std::vector<Tone> tones_;
};

// Tracks how far each station's reverbs have been rendered. One thread.
class StationPositions {
 public:
  explicit StationPositions(const EngineShape& shape)
      : chunk_frames_(shape.chunk_frames), next_frames_(shape.stations, -1) {}

  std::int64_t next_frame(std::size_t station) const { return next_frames_.at(station); }

  void forget(std::size_t station) { next_frames_.at(station) = -1; }

  // Advances the station to the end of the chunk, which is about to be rendered. Returns true if the chunk
  // does not continue the last one: then the reverbs must be cleared.
  bool advance(const StationChunk& chunk) {
    assert(checker_.is_current());
    std::int64_t& next = next_frames_.at(chunk.station);
    const bool restarts = next != chunk.first_frame;
    next = chunk.first_frame + chunk_frames_;
    return restarts;
  }

 private:
  ThreadChecker checker_;
  std::uint32_t chunk_frames_;
  std::vector<std::int64_t> next_frames_;
};

}  // namespace auralis
