// SPDX-License-Identifier: MIT
#include "streamd/encode/wav_stream.h"

#include "streamd/encode/little_endian.h"

namespace auralis {
namespace {

constexpr std::uint32_t kUnknownLength = 0xFFFF'FFFF;
constexpr std::uint32_t kFormatBytes = 16;
constexpr std::uint16_t kFormatPcm = 1;
constexpr std::uint16_t kSampleBytes = 2;

}  // namespace

std::string wav_header(std::uint32_t sample_rate, std::uint32_t channels) {
  const auto frame_bytes = static_cast<std::uint16_t>(channels * kSampleBytes);
  std::string out = "RIFF";
  append_little_endian(out, kUnknownLength);
  out += "WAVEfmt ";
  append_little_endian(out, kFormatBytes);
  append_little_endian(out, kFormatPcm);
  append_little_endian(out, static_cast<std::uint16_t>(channels));
  append_little_endian(out, sample_rate);
  append_little_endian(out, sample_rate * frame_bytes);
  append_little_endian(out, frame_bytes);
  append_little_endian(out, static_cast<std::uint16_t>(kSampleBytes * 8));
  out += "data";
  append_little_endian(out, kUnknownLength);
  return out;
}

}  // namespace auralis
