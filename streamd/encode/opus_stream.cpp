// SPDX-License-Identifier: MIT
#include "streamd/encode/opus_stream.h"

#include <opus.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace auralis {
namespace {

constexpr std::uint32_t kChannels = 2;
constexpr std::size_t kPacketSamples = std::size_t{kOpusPacketFrames} * kChannels;
constexpr std::size_t kMaxPacketBytes = 1'275;  // of a packet with one Opus frame (RFC 6716, 3.4)
constexpr std::uint32_t kRampMs = 5;

void require(int result) {
  if (result < 0) throw std::runtime_error(std::string("Opus encoder: ") + opus_strerror(result));
}

}  // namespace

void OpusStream::Destroy::operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }

OpusStream::OpusStream(std::uint32_t sample_rate, std::int32_t bitrate) : sample_rate_(sample_rate) {
  int result = OPUS_OK;
  encoder_.reset(opus_encoder_create(kOpusHz, kChannels, OPUS_APPLICATION_AUDIO, &result));
  require(result);
  require(opus_encoder_ctl(encoder_.get(), OPUS_SET_BITRATE(bitrate)));
  require(opus_encoder_ctl(encoder_.get(), OPUS_SET_VBR(1)));
  require(opus_encoder_ctl(encoder_.get(), OPUS_SET_VBR_CONSTRAINT(1)));
  require(opus_encoder_ctl(encoder_.get(), OPUS_SET_SIGNAL(OPUS_SIGNAL_MUSIC)));
  opus_int32 lookahead = 0;
  require(opus_encoder_ctl(encoder_.get(), OPUS_GET_LOOKAHEAD(&lookahead)));
  if (sample_rate != kOpusHz) resampler_.emplace(sample_rate, kOpusHz, kChannels);
  const double delay = lookahead + (resampler_ ? resampler_->delay_frames() : 0);
  delay_frames_ = static_cast<std::uint32_t>(std::lround(delay));
}

OpusChunk OpusStream::encode(const AudioChunk& chunk) {
  OpusChunk out;
  out.begins = next_seq_ != chunk.seq;
  if (out.begins) begin();
  next_seq_ = chunk.seq + 1;
  out.first_frame = encoded_frames_;
  out.lead_frames = delay_frames_ + static_cast<std::uint32_t>(pending_.size() / kChannels);
  take_in(chunk);
  const std::size_t packets = pending_.size() / kPacketSamples;
  for (std::size_t packet = 0; packet < packets; ++packet) {
    out.packets.push_back(encode_packet(pending_.data() + packet * kPacketSamples));
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(packets * kPacketSamples));
  out.frames = static_cast<std::uint32_t>(packets) * kOpusPacketFrames;
  encoded_frames_ += out.frames;
  return out;
}

void OpusStream::begin() {
  require(opus_encoder_ctl(encoder_.get(), OPUS_RESET_STATE));
  if (resampler_) resampler_->reset();
  encoded_frames_ = 0;
  sounds_ = false;
  pending_.clear();
}

void OpusStream::take_in(const AudioChunk& chunk) {
  input_.resize(chunk.samples.size());
  for (std::size_t i = 0; i < input_.size(); ++i)
    input_[i] = static_cast<float>(chunk.samples[i]) / 32'768.0F;
  soften_edge(!chunk.silence);
  if (input_.size() >= kChannels) std::copy(input_.end() - kChannels, input_.end(), last_.begin());
  if (resampler_) {
    resampler_->process(input_, pending_);
  } else {
    pending_.insert(pending_.end(), input_.begin(), input_.end());
  }
}

// Ramps from silence to audio, or from the last frame of audio to silence.
void OpusStream::soften_edge(bool sounds) {
  if (sounds == sounds_) return;
  sounds_ = sounds;
  const std::size_t frames = std::min<std::size_t>(sample_rate_ * kRampMs / 1'000, input_.size() / kChannels);
  for (std::size_t frame = 0; frame < frames; ++frame) {
    const float done = static_cast<float>(frame) / static_cast<float>(frames);
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      float& sample = input_[frame * kChannels + channel];
      sample = sounds ? sample * done : last_[channel] * (1.0F - done);
    }
  }
}

std::string OpusStream::encode_packet(const float* samples) {
  std::string packet(kMaxPacketBytes, '\0');
  const opus_int32 bytes = opus_encode_float(encoder_.get(), samples, static_cast<int>(kOpusPacketFrames),
                                             reinterpret_cast<unsigned char*>(packet.data()),
                                             static_cast<opus_int32>(packet.size()));
  require(bytes);
  packet.resize(static_cast<std::size_t>(bytes));
  packet.shrink_to_fit();
  return packet;
}

}  // namespace auralis
