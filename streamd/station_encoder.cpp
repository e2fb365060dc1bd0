// SPDX-License-Identifier: MIT
#include "streamd/station_encoder.h"

#include <utility>

namespace auralis {

StationEncoder::StationEncoder(std::string title, std::int64_t opus_bitrate)
    : title_(std::move(title)), opus_bitrate_(opus_bitrate) {}

AudioMessagePtr StationEncoder::message(EncodedChunk& chunk, WireFormat format) {
  AudioMessagePtr& message = chunk.messages.at(static_cast<std::size_t>(format));
  if (message) return message;
  const WireMessagePtr encoded = encode(chunk, format);
  if (!encoded) return nullptr;
  const AudioChunk& audio = chunk.audio;
  const std::int64_t duration_ns = kNsPerSecond * audio.frames / audio.sample_rate;
  message = std::make_shared<AudioMessage>(AudioMessage{encoded, audio.seq, duration_ns, audio.silence});
  return message;
}

WireMessagePtr StationEncoder::encode(EncodedChunk& chunk, WireFormat format) {
  switch (format) {
    case WireFormat::kJson:
      return make_text_message(encode_json(chunk.audio));
    case WireFormat::kPcm:
      return make_binary_message(encode_pcm(chunk.audio));
    default:
      return nullptr;
  }
}

WireMessagePtr StationEncoder::stream_head(WireFormat, const Timeline&) const { return nullptr; }

}  // namespace auralis
