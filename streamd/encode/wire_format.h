// SPDX-License-Identifier: MIT
// The formats in which a listener may be sent a station's audio.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <optional>
#include <string_view>

namespace auralis {

enum class WireFormat {
  kJson,      // over WebSocket: text, PCM as base64
  kPcm,       // over WebSocket: binary, a header and PCM
  kOpus,      // over WebSocket: binary, a header and Opus packets
  kMessages,  // over WebSocket: messages alone, for a client that takes the audio over plain HTTP
  kOggOpus,   // over plain HTTP
  kWav,       // over plain HTTP
};
inline constexpr std::size_t kWireFormats = 6;
using FormatSet = std::bitset<kWireFormats>;

// Names: over WebSocket the subprotocol, over plain HTTP the ending of the path.
inline constexpr std::array<std::string_view, kWireFormats> kFormatNames{
    "auralis.json.v1", "auralis.pcm.v1", "auralis.opus.v1", "auralis.messages.v1", "opus", "wav"};
inline constexpr std::array<std::string_view, 4> kSubprotocols{kFormatNames[0], kFormatNames[1],
                                                               kFormatNames[2], kFormatNames[3]};

constexpr std::string_view format_name(WireFormat format) {
  return kFormatNames.at(static_cast<std::size_t>(format));
}
constexpr bool is_plain_http(WireFormat format) {
  return format == WireFormat::kOggOpus || format == WireFormat::kWav;
}
// True for formats in which a listener is sent audio.
constexpr bool has_audio(WireFormat format) { return format != WireFormat::kMessages; }
// True for formats that consist of Opus packets.
constexpr bool is_opus(WireFormat format) {
  return format == WireFormat::kOpus || format == WireFormat::kOggOpus;
}
inline bool any_opus(const FormatSet& formats) {
  return formats[static_cast<std::size_t>(WireFormat::kOpus)] ||
         formats[static_cast<std::size_t>(WireFormat::kOggOpus)];
}

// The format of a subprotocol; nothing if there is no such format.
constexpr std::optional<WireFormat> format_from_subprotocol(std::string_view name) {
  for (std::size_t i = 0; i < kSubprotocols.size(); ++i) {
    if (kSubprotocols.at(i) == name) return static_cast<WireFormat>(i);
  }
  return std::nullopt;
}

}  // namespace auralis
