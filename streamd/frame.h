// SPDX-License-Identifier: MIT
// A chunk as it goes over the wire (docs/protocol.md, "Audio"). Pure functions; both are called once a chunk,
// not once a listener.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auralis {

// One chunk of PCM with all that its frames say.
struct AudioChunk {
  std::int64_t seq = 0;
  std::int64_t due_unix_us = 0;
  std::uint32_t sample_rate = 0;
  std::uint32_t channels = 0;
  std::uint32_t frames = 0;
  bool silence = false;               // in place of a chunk that was not there in time
  std::vector<std::int16_t> samples;  // interleaved
};

inline constexpr std::size_t kPcmHeaderBytes = 32;
inline constexpr std::uint16_t kFlagSilence = 1;

// The payload of a text message of type `audio`.
std::string encode_json(const AudioChunk& chunk);

// The payload of a binary message: header and PCM, little-endian.
std::string encode_pcm(const AudioChunk& chunk);

}  // namespace auralis
