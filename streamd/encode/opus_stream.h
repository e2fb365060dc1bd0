// SPDX-License-Identifier: MIT
// Encodes one station's chunks in Opus, once for all listeners, as packets of 20 ms at 48 kHz. Opus has no
// rate of 44.1 kHz, so that is resampled. A decoder's output lags by a constant, delay_frames(); on average
// the packets of a chunk hold exactly its frames. One thread. A station costs about 100 kB, and 2.5 ms of CPU
// time for 100 ms of audio.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "streamd/encode/frame.h"
#include "streamd/encode/resampler.h"

struct OpusEncoder;

namespace auralis {

inline constexpr std::uint32_t kOpusPacketFrames = 960;  // 20 ms
inline constexpr std::int32_t kDefaultOpusBitrate = 96'000;

class OpusStream {
 public:
  // `sample_rate`: of the station's chunks, 44,100 or 48,000. `bitrate`: bit/s on average, 6,000 to 510,000.
  // Throws std::runtime_error if libopus refuses.
  explicit OpusStream(std::uint32_t sample_rate, std::int32_t bitrate = kDefaultOpusBitrate);

  // Returns the packets that `chunk` (stereo, at the station's rate, a multiple of 10 ms) completes. The rest
  // of it goes into those of the next one. A chunk that does not follow the last one resets the encoder: its
  // packets depend on nothing before. Audio is ramped where it begins or turns to silence, since a step
  // clicks.
  OpusChunk encode(const AudioChunk& chunk);

  // Delay from a frame of the input to the same frame of a decoder's output, in frames at 48 kHz.
  std::uint32_t delay_frames() const { return delay_frames_; }

 private:
  struct Destroy {
    void operator()(OpusEncoder* encoder) const;
  };

  void begin();
  void take_in(const AudioChunk& chunk);
  void soften_edge(bool sounds);
  std::string encode_packet(const float* samples);

  std::uint32_t sample_rate_;
  std::optional<Resampler> resampler_;  // if the station's rate is not 48 kHz
  std::unique_ptr<OpusEncoder, Destroy> encoder_;
  std::uint32_t delay_frames_ = 0;

  std::optional<std::int64_t> next_seq_;  // of the chunk that would follow
  std::int64_t encoded_frames_ = 0;       // since the encoder was reset
  bool sounds_ = false;                   // the last chunk was not silence
  std::array<float, 2> last_{};           // its last frame
  std::vector<float> input_;              // the present chunk, at the station's rate
  std::vector<float> pending_;            // what waits for its packet, at 48 kHz
};

}  // namespace auralis
