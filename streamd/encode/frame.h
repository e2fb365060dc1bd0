// SPDX-License-Identifier: MIT
// A chunk as it goes over the wire (docs/protocol.md, "Audio"). Pure functions, called once a chunk, not once
// a listener.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streamd/encode/samples.h"

namespace auralis {

// One chunk of PCM with all that its frames say.
struct AudioChunk {
  std::int64_t seq = 0;
  std::int64_t due_unix_us = 0;
  std::uint32_t sample_rate = 0;
  std::uint32_t channels = 0;
  std::uint32_t frames = 0;
  bool silence = false;  // in place of a chunk that was not there in time
  Samples samples;
};

inline constexpr std::uint32_t kOpusHz = 48'000;  // Opus' own rate, whatever the station's is

// What a chunk becomes in Opus (opus_stream.h): the packets that it completes. They hold sound that is due a
// little earlier than the chunk.
struct OpusChunk {
  std::vector<std::string> packets;
  std::uint32_t frames = 0;       // of 48 kHz, that the packets hold
  std::int64_t first_frame = 0;   // where they stand in all that was encoded since the encoder began
  std::uint32_t lead_frames = 0;  // so many 48 kHz frames before the chunk their first one is due
  bool begins = false;            // a decoder begins anew here
};

inline constexpr std::size_t kHeaderBytes = 32;
inline constexpr std::uint16_t kFlagSilence = 1;
inline constexpr std::uint16_t kFlagBegins = 2;

// The payload of a text message of type `audio`.
std::string encode_json(const AudioChunk& chunk);

// The header of a binary message of PCM, kHeaderBytes; the samples follow it (pcm_message.h).
std::string pcm_header(const AudioChunk& chunk);

// The payload of a binary message of Opus: the same header, and the packets, each after its length in bytes
// (16 bit). `opus` is what `chunk` became.
std::string encode_opus(const AudioChunk& chunk, const OpusChunk& opus);

}  // namespace auralis
