// SPDX-License-Identifier: MIT
#include "streamd/encode/frame.h"

#include <openssl/evp.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "streamd/encode/little_endian.h"

namespace auralis {
namespace {

// Contents of a message before its audio.
struct Header {
  std::uint8_t codec;
  std::uint32_t channels;
  std::uint16_t flags;
  std::int64_t seq;
  std::int64_t due_unix_us;  // of the first frame
  std::uint32_t sample_rate;
  std::uint32_t frames;
};

void append_header(std::string& out, const Header& header) {
  out += "AUR1";
  append_little_endian(out, header.codec);
  append_little_endian(out, static_cast<std::uint8_t>(header.channels));
  append_little_endian(out, header.flags);
  append_little_endian(out, header.seq);
  append_little_endian(out, header.due_unix_us);
  append_little_endian(out, header.sample_rate);
  append_little_endian(out, header.frames);
}

std::uint16_t silence_flag(const AudioChunk& chunk) {
  return chunk.silence ? kFlagSilence : std::uint16_t{0};
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock appends a zero
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

}  // namespace

std::string encode_json(const AudioChunk& chunk) {
  const nlohmann::ordered_json message{
      {"type", "audio"},
      {"seq", chunk.seq},
      {"timestamp", static_cast<double>(chunk.due_unix_us) / 1e6},
      {"duration_ms", 1e3 * chunk.frames / chunk.sample_rate},
      {"sample_rate", chunk.sample_rate},
      {"channels", chunk.channels},
      {"data", base64(chunk.samples.bytes())},
  };
  return message.dump();
}

std::string pcm_header(const AudioChunk& chunk) {
  std::string out;
  out.reserve(kHeaderBytes);
  append_header(out, {kCodecPcm, chunk.channels, silence_flag(chunk), chunk.seq, chunk.due_unix_us,
                      chunk.sample_rate, chunk.frames});
  return out;
}

std::string encode_opus(const AudioChunk& chunk, const OpusChunk& opus) {
  std::size_t bytes = kHeaderBytes;
  for (const std::string& packet : opus.packets) bytes += sizeof(std::uint16_t) + packet.size();
  std::string out;
  out.reserve(bytes);
  const auto flags = static_cast<std::uint16_t>(silence_flag(chunk) | (opus.begins ? kFlagBegins : 0));
  const std::int64_t lead_us = std::int64_t{opus.lead_frames} * 1'000'000 / kOpusHz;
  append_header(
      out, {kCodecOpus, chunk.channels, flags, chunk.seq, chunk.due_unix_us - lead_us, kOpusHz, opus.frames});
  for (const std::string& packet : opus.packets) {
    append_little_endian(out, static_cast<std::uint16_t>(packet.size()));
    out += packet;
  }
  return out;
}

}  // namespace auralis
