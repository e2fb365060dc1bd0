// SPDX-License-Identifier: MIT
// One station's sound in Opus: its chunks, each encoded once for all who listen, as packets of 20 ms at 48
// kHz. Opus knows no other rate near to CD's, so 44.1 kHz is converted. What a decoder gives lags behind what
// went in by a constant, delay_frames(); the packets of a chunk hold as many frames as the chunk, in the long
// run exactly. One thread. A station takes about 100 kB, and 2.5 ms of a processor for 100 ms of sound.
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
  // Throws std::runtime_error if the encoder cannot be had.
  explicit OpusStream(std::uint32_t sample_rate, std::int32_t bitrate = kDefaultOpusBitrate);

  // The packets that `chunk` (stereo, at the station's rate, a multiple of 10 ms) completes. What is left of
  // it goes into the next one's. A chunk that does not follow the last one begins anew: its packets need, and
  // have, nothing of what was before. Where sound begins or turns to silence it is ramped, since no step
  // shall click.
  OpusChunk encode(const AudioChunk& chunk);

  // From a frame that goes in to the same frame out of a decoder; 48 kHz frames.
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
  std::optional<Resampler> resampler_;  // where the station's rate is another
  std::unique_ptr<OpusEncoder, Destroy> encoder_;
  std::uint32_t delay_frames_ = 0;

  std::optional<std::int64_t> next_seq_;  // of the chunk that would follow
  std::int64_t encoded_frames_ = 0;       // since the encoder began
  bool sounds_ = false;                   // the last chunk was no silence,
  std::array<float, 2> last_{};           // and ended so
  std::vector<float> input_;              // the present chunk at the station's rate,
  std::vector<float> pending_;            // and what waits for its packet, at 48 kHz
};

}  // namespace auralis
