// SPDX-License-Identifier: MIT
// Measures what a station sounds like, chunk by chunk: its level and loudness over the last 3 s, and the
// faults that a listener hears. 16 bit, stereo, interleaved.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace auralis {

// Findings of one chunk.
struct ChunkFindings {
  bool silent = false;               // its peak is at most AudioMeter::kSilentPeak
  std::int64_t clipped_samples = 0;  // at full scale, in runs of at least AudioMeter::kClippedRun
  bool discontinuous = false;        // its beginning does not continue the waveform of the chunk before it
};

// One thread. Allocates only while it is made. The chunks of one meter follow each other without a gap: after
// a gap, make another.
class AudioMeter {
 public:
  static constexpr std::size_t kChannels = 2;
  static constexpr int kSilentPeak = 3;           // -81 dBFS; the dither of silence peaks at 1 or 2
  static constexpr std::int64_t kClippedRun = 3;  // samples; fewer may be peaks that just reach full scale
  static constexpr std::int64_t kWindowMs = 3'000;
  static constexpr double kLeastLufs = -70;  // the absolute gate of EBU R 128

  // Whether chunks of that shape can be measured: 1 to 400 ms.
  static bool can_measure(std::uint32_t sample_rate, std::uint32_t chunk_frames);

  // Only if can_measure().
  AudioMeter(std::uint32_t sample_rate, std::uint32_t chunk_frames);
  ~AudioMeter();
  AudioMeter(AudioMeter&&) noexcept;
  AudioMeter& operator=(AudioMeter&&) noexcept;

  // Measures the next chunk: chunk_frames frames.
  ChunkFindings add(const std::int16_t* samples);

  // The largest sample of the window, 0 to 1. 0 before the first chunk.
  double peak() const;

  // Short-term loudness in LUFS (EBU Tech 3341), kLeastLufs if it is below that. Nothing until the window is
  // full.
  std::optional<double> loudness_lufs() const;

 private:
  static constexpr std::size_t kEdgeFrames =
      2;  // on each side, that are compared across the seam of two chunks
  static constexpr std::int64_t kMostChunkMs = 400;
  using Edge = std::array<int, kEdgeFrames * kChannels>;

  struct Loudness;

  void add_level(const std::int16_t* samples, int peak);
  std::int64_t count_clipped(const std::int16_t* samples);
  bool continues(const std::int16_t* samples, int bend) const;

  std::size_t samples_;  // in a chunk
  std::unique_ptr<Loudness> loudness_;
  // Of each chunk of the window, which is full once `chunks_` is at least its size.
  std::vector<int> peaks_;
  std::vector<double> powers_;
  std::size_t chunks_ = 0;                               // so far
  std::array<std::int64_t, kChannels> at_full_scale_{};  // samples so far, of the run that is going on
  Edge last_{};                                          // frames of the chunk before
  int last_bend_ = 0;                                    // largest bend within it
};

}  // namespace auralis
