// SPDX-License-Identifier: MIT
#include "streamd/station_encoder.h"

#include <random>
#include <utility>

#include "streamd/wav_stream.h"

namespace auralis {
namespace {

// Those of a second at the least.
constexpr std::int64_t kRestAfterChunks = 50;

}  // namespace

StationEncoder::StationEncoder(std::string title, std::int64_t opus_bitrate)
    : title_(std::move(title)), opus_bitrate_(opus_bitrate) {}

StationEncoder::Opus::Opus(const std::string& title, std::uint32_t sample_rate, std::int64_t bitrate,
                           std::uint32_t serial)
    : encoder(sample_rate, static_cast<std::int32_t>(bitrate)),
      stream(title, sample_rate, encoder.delay_frames(), serial) {}

AudioMessagePtr StationEncoder::message(EncodedChunk& chunk, WireFormat format) {
  return message(chunk, format, false);
}

AudioMessagePtr StationEncoder::first_message(EncodedChunk& chunk, WireFormat format) {
  AudioMessagePtr first = message(chunk, format, true);
  const bool joint = format == WireFormat::kOggOpus && !chunk.pages.joint.empty();
  return joint ? nullptr : first;
}

AudioMessagePtr StationEncoder::message(EncodedChunk& chunk, WireFormat format, bool head_follows) {
  AudioMessagePtr& message = chunk.messages.at(static_cast<std::size_t>(format));
  if (message) return message;
  const WireMessagePtr encoded = encode(chunk, format, head_follows);
  if (!encoded) return nullptr;
  const AudioChunk& audio = chunk.audio;
  const std::int64_t duration_ns = kNsPerSecond * audio.frames / audio.sample_rate;
  message = std::make_shared<AudioMessage>(AudioMessage{encoded, audio.seq, duration_ns, audio.silence});
  return message;
}

WireMessagePtr StationEncoder::encode(EncodedChunk& chunk, WireFormat format, bool head_follows) {
  switch (format) {
    case WireFormat::kJson:
      return make_text_message(encode_json(chunk.audio));
    case WireFormat::kPcm:
      return make_binary_message(encode_pcm(chunk.audio));
    case WireFormat::kWav:
      return make_http_chunk(wav_samples(chunk.audio));
    case WireFormat::kOpus:
      return encode_opus_of(chunk, head_follows) ? make_binary_message(encode_opus(chunk.audio, *chunk.opus))
                                                 : nullptr;
    case WireFormat::kOggOpus: {
      if (!encode_opus_of(chunk, head_follows)) return nullptr;
      const std::string bytes = chunk.pages.joint + chunk.pages.page;
      return bytes.empty() ? nullptr : make_http_chunk(bytes);
    }
  }
  return nullptr;
}

bool StationEncoder::encode_opus_of(EncodedChunk& chunk, bool head_follows) {
  if (chunk.opus) return true;
  const AudioChunk& audio = chunk.audio;
  if (opus_ && audio.seq <= opus_->newest) return false;
  if (!opus_)
    opus_ = std::make_unique<Opus>(title_, audio.sample_rate, opus_bitrate_, std::random_device()());
  chunk.opus = opus_->encoder.encode(audio);
  chunk.pages = opus_->stream.add(*chunk.opus);
  // Who listens to a stream that is only beginning has had no headers yet.
  if (opus_->newest < 0 && !head_follows) chunk.pages.joint = opus_->stream.headers();
  opus_->newest = audio.seq;
  return true;
}

WireMessagePtr StationEncoder::stream_head(WireFormat format, const Timeline& timeline) const {
  if (format == WireFormat::kWav) return make_http_chunk(wav_header(timeline.sample_rate, timeline.channels));
  const bool ogg = format == WireFormat::kOggOpus && opus_ && !opus_->stream.headers().empty();
  return ogg ? make_http_chunk(opus_->stream.headers()) : nullptr;
}

void StationEncoder::let_rest(std::int64_t seq) {
  if (opus_ && seq - opus_->newest > kRestAfterChunks) opus_.reset();
}

}  // namespace auralis
