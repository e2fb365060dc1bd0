// SPDX-License-Identifier: MIT
#include "streamd/frame.h"

#include <openssl/evp.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace auralis {
namespace {

template <typename T>
void append_little_endian(std::string& out, T value) {
  for (std::size_t byte = 0; byte < sizeof(T); ++byte) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> 8 * byte & 0xFFU));
  }
}

void append_samples(std::string& out, const std::vector<std::int16_t>& samples) {
  for (const std::int16_t sample : samples) append_little_endian(out, static_cast<std::uint16_t>(sample));
}

std::string base64(const std::string& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock closes with a zero
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

}  // namespace

std::string encode_json(const AudioChunk& chunk) {
  std::string pcm;
  pcm.reserve(chunk.samples.size() * 2);
  append_samples(pcm, chunk.samples);
  const nlohmann::ordered_json message{
      {"type", "audio"},
      {"seq", chunk.seq},
      {"timestamp", static_cast<double>(chunk.due_unix_us) / 1e6},
      {"duration_ms", 1e3 * chunk.frames / chunk.sample_rate},
      {"sample_rate", chunk.sample_rate},
      {"channels", chunk.channels},
      {"data", base64(pcm)},
  };
  return message.dump();
}

std::string encode_pcm(const AudioChunk& chunk) {
  std::string out;
  out.reserve(kPcmHeaderBytes + chunk.samples.size() * 2);
  out += "AUR1";
  append_little_endian(out, std::uint8_t{0});  // codec: PCM s16le
  append_little_endian(out, static_cast<std::uint8_t>(chunk.channels));
  append_little_endian(out, chunk.silence ? kFlagSilence : std::uint16_t{0});
  append_little_endian(out, static_cast<std::uint64_t>(chunk.seq));
  append_little_endian(out, static_cast<std::uint64_t>(chunk.due_unix_us));
  append_little_endian(out, chunk.sample_rate);
  append_little_endian(out, chunk.frames);
  append_samples(out, chunk.samples);
  return out;
}

}  // namespace auralis
