// SPDX-License-Identifier: MIT
#include "streamd/encode/station_encoder.h"

#include <cassert>
#include <limits>
#include <random>
#include <utility>

#include "streamd/encode/wav_stream.h"

namespace auralis {
namespace {

// At least a second.
constexpr std::int64_t kIdleChunks = 50;

}  // namespace

StationEncoder::StationEncoder(EncodingExecutor& executor, const Clock& clock, Histogram& encode_ms,
                               Settings settings)
    : executor_(&executor), clock_(&clock), encode_ms_(&encode_ms), settings_(std::move(settings)) {}

StationEncoder::~StationEncoder() { end_session(); }

// Work in progress keeps the session alive; what waits in it would be encoded for no listener.
void StationEncoder::end_session() {
  if (opus_ && opus_->session) opus_->session->skip_before(std::numeric_limits<std::int64_t>::max());
  opus_.reset();
}

AudioMessagePtr StationEncoder::first_message(EncodedChunk& chunk, WireFormat format) {
  AudioMessagePtr first = message(chunk, format);
  const bool joint = format == WireFormat::kOggOpus && !chunk.pages.joint.empty();
  return joint ? nullptr : first;
}

AudioMessagePtr StationEncoder::message(EncodedChunk& chunk, WireFormat format) {
  assert(checker_.is_current());
  AudioMessagePtr& message = chunk.messages.at(static_cast<std::size_t>(format));
  if (!message) message = make_message(chunk, format);
  return message;
}

AudioMessagePtr StationEncoder::make_message(EncodedChunk& chunk, WireFormat format) {
  const std::int64_t began_ns = clock_->now_ns();
  const WireMessagePtr encoded = encode(chunk, format);
  if (!encoded) return nullptr;
  // Opus was encoded before, on another thread, and is observed by collect().
  if (!is_opus(format)) observe_ns(*encode_ms_, clock_->now_ns() - began_ns);
  const AudioChunk& audio = chunk.audio;
  const std::int64_t duration_ns = kNsPerSecond * audio.frames / audio.sample_rate;
  return std::make_shared<AudioMessage>(AudioMessage{encoded, audio.seq, duration_ns, audio.silence});
}

WireMessagePtr StationEncoder::encode(EncodedChunk& chunk, WireFormat format) {
  switch (format) {
    case WireFormat::kJson:
      return make_text_message(encode_json(chunk.audio));
    case WireFormat::kPcm:
      return chunk.pcm.finish(chunk.audio);
    case WireFormat::kWav:
      return make_http_chunk(chunk.audio.samples.bytes());
    case WireFormat::kOpus:
      return chunk.opus ? make_binary_message(encode_opus(chunk.audio, *chunk.opus)) : nullptr;
    case WireFormat::kOggOpus: {
      const std::string bytes = chunk.pages.joint + chunk.pages.page;
      return bytes.empty() ? nullptr : make_http_chunk(bytes);
    }
    case WireFormat::kMessages:
      break;
  }
  return nullptr;
}

void StationEncoder::submit(const EncodedChunk& chunk, bool head_follows) {
  assert(checker_.is_current());
  if (opus_ && chunk.audio.seq <= opus_->submitted) return;
  if (!opus_) {
    OpusSession::Settings settings{settings_.title, static_cast<std::int32_t>(settings_.opus_bitrate),
                                   std::random_device()(), settings_.personal};
    opus_ =
        Opus{std::make_shared<OpusSession>(*executor_, *clock_, std::move(settings)), -1, head_follows, {}};
  }
  opus_->submitted = chunk.audio.seq;
  opus_->session->submit(chunk.audio);
}

void StationEncoder::collect(const std::function<EncodedChunk*(std::int64_t)>& find) {
  assert(checker_.is_current());
  if (!opus_) return;
  for (OpusSession::Encoded& encoded : opus_->session->take_encoded()) {
    observe_ns(*encode_ms_, encoded.took_ns);
    // The first listeners of a stream have had no headers yet.
    if (encoded.first && !opus_->head_follows) encoded.pages.joint = *encoded.headers;
    encoded.pages.joint.insert(0, std::exchange(opus_->joint, {}));
    EncodedChunk* const chunk = find(encoded.seq);
    if (chunk == nullptr) {
      opus_->joint = std::move(encoded.pages.joint);
      continue;
    }
    chunk->opus = std::move(encoded.opus);
    chunk->pages = std::move(encoded.pages);
    chunk->headers = std::move(encoded.headers);
  }
}

std::int64_t StationEncoder::submitted() const {
  assert(checker_.is_current());
  return opus_ ? opus_->submitted : -1;
}

bool StationEncoder::encoding(const EncodedChunk& chunk) const {
  assert(checker_.is_current());
  return opus_ && !chunk.opus && chunk.audio.seq <= opus_->submitted &&
         opus_->session->pending(chunk.audio.seq);
}

WireMessagePtr StationEncoder::stream_head(WireFormat format, const Timeline& timeline,
                                           const EncodedChunk* newest) const {
  assert(checker_.is_current());
  if (format == WireFormat::kWav) return make_http_chunk(wav_header(timeline.sample_rate, timeline.channels));
  const bool ogg = format == WireFormat::kOggOpus && newest != nullptr && newest->headers;
  return ogg ? make_http_chunk(*newest->headers) : nullptr;
}

void StationEncoder::reset() {
  assert(checker_.is_current());
  end_session();
}

void StationEncoder::skip_before(std::int64_t seq) {
  assert(checker_.is_current());
  if (opus_) opus_->session->skip_before(seq);
}

void StationEncoder::release_if_idle(std::int64_t seq) {
  assert(checker_.is_current());
  if (opus_ && seq - opus_->submitted > kIdleChunks) end_session();
}

}  // namespace auralis
