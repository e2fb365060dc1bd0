// SPDX-License-Identifier: MIT
#include "tools/probe/opus_audio.h"

#include <opus.h>

#include <cmath>
#include <memory>
#include <stdexcept>

#include "streamd/encode/frame.h"
#include "streamd/encode/opus_stream.h"
#include "streamd/encode/resampler.h"

namespace auralis {
namespace {

constexpr int kMostFrames = 5'760;  // of a packet

// Decodes the packets of a message, each after its length in 16 bits, and appends them to `out`.
bool decode_packets(OpusDecoder* decoder, std::string_view packets, std::vector<float>& out) {
  while (!packets.empty()) {
    if (packets.size() < 2) return false;
    const auto byte = [&](std::size_t i) { return std::size_t{static_cast<std::uint8_t>(packets[i])}; };
    const std::size_t size = byte(0) | byte(1) << 8U;
    packets.remove_prefix(2);
    if (size == 0 || size > packets.size()) return false;
    const std::size_t before = out.size();
    out.resize(before + std::size_t{kMostFrames} * kChannels);
    const int frames = opus_decode_float(decoder, reinterpret_cast<const unsigned char*>(packets.data()),
                                         static_cast<opus_int32>(size), out.data() + before, kMostFrames, 0);
    if (frames < 0) return false;
    out.resize(before + static_cast<std::size_t>(frames) * kChannels);
    packets.remove_prefix(size);
  }
  return true;
}

std::uint32_t chunk_frames_48k(const Timeline& timeline) {
  return static_cast<std::uint32_t>(timeline.chunk_ns() * kOpusHz / kNsPerSecond);
}

// Frames at 48 kHz that the encoder had kept of the chunk before: half a packet, or none. A message that
// holds more than its chunk began with them.
std::uint32_t kept_frames(const Timeline& timeline, const ServerMessage& head) {
  return head.frames > chunk_frames_48k(timeline) ? kOpusPacketFrames / 2 : 0;
}

double resampler_delay(const Timeline& timeline) {
  return timeline.sample_rate == kOpusHz ? 0
                                         : Resampler(timeline.sample_rate, kOpusHz, kChannels).delay_frames();
}

}  // namespace

std::optional<std::vector<float>> decode_opus(const std::vector<ReceivedChunk>& chunks, std::size_t count) {
  const std::unique_ptr<OpusDecoder, void (*)(OpusDecoder*)> decoder(
      opus_decoder_create(static_cast<opus_int32>(kOpusHz), kChannels, nullptr), opus_decoder_destroy);
  if (!decoder) throw std::runtime_error("Opus decoder: no memory");
  std::vector<float> out;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t before = out.size();
    if (chunks[i].head.begins) opus_decoder_ctl(decoder.get(), OPUS_RESET_STATE);
    if (!decode_packets(decoder.get(), chunks[i].audio, out)) return std::nullopt;
    if (out.size() - before != std::size_t{chunks[i].head.frames} * kChannels) return std::nullopt;
  }
  return out;
}

std::int64_t opus_chunk_due_us(const Timeline& timeline, const ServerMessage& head) {
  const std::uint32_t lead = OpusStream(timeline.sample_rate).delay_frames() + kept_frames(timeline, head);
  return head.due_us + std::int64_t{lead} * 1'000'000 / kOpusHz;
}

std::vector<float> ideal_opus(const Timeline& timeline, const std::vector<std::int16_t>& samples,
                              const ServerMessage& first) {
  std::vector<float> floats(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) floats[i] = static_cast<float>(samples[i]) / 32'768.0F;
  std::vector<float> resampled;
  if (timeline.sample_rate == kOpusHz) {
    resampled = std::move(floats);
  } else {
    Resampler(timeline.sample_rate, kOpusHz, kChannels).process(floats, resampled);
  }
  // The encoder's input lags behind by the resampler's delay, as `resampled` does; its output by its
  // look-ahead.
  const std::uint32_t look_ahead = OpusStream(timeline.sample_rate).delay_frames() -
                                   static_cast<std::uint32_t>(std::lround(resampler_delay(timeline)));
  const std::size_t begin = chunk_frames_48k(timeline) - look_ahead - kept_frames(timeline, first);
  resampled.erase(resampled.begin(), resampled.begin() + static_cast<std::ptrdiff_t>(
                                                             std::min(begin * kChannels, resampled.size())));
  return resampled;
}

}  // namespace auralis
