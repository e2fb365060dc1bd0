// SPDX-License-Identifier: MIT
// The payloads of audio messages (docs/protocol.md, "Audio"). Pure functions, called once a chunk, not once a
// listener.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streamd/encode/samples.h"

namespace auralis {

// One chunk of PCM, and what the headers of its messages say.
struct AudioChunk {
  std::int64_t seq = 0;
  std::int64_t due_unix_us = 0;
  std::uint32_t sample_rate = 0;
  std::uint32_t channels = 0;
  std::uint32_t frames = 0;
  bool silence = false;  // in place of a missing chunk
  Samples samples;
};

inline constexpr std::uint32_t kOpusHz = 48'000;  // Opus' own rate, whatever the station's is

// A chunk in Opus (opus_stream.h): the packets that it completes. They hold audio that is due a little before
// the chunk.
struct OpusChunk {
  std::vector<std::string> packets;
  std::uint32_t frames = 0;       // in the packets, at 48 kHz
  std::int64_t first_frame = 0;   // of the packets, counted since the encoder was reset
  std::uint32_t lead_frames = 0;  // by which the first frame is due before the chunk, at 48 kHz
  bool begins = false;            // the encoder was reset here, and so is the decoder
};

inline constexpr std::size_t kHeaderBytes = 32;
inline constexpr std::uint8_t kCodecPcm = 0;  // s16le
inline constexpr std::uint8_t kCodecOpus = 1;
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
