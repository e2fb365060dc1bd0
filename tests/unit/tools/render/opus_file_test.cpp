// SPDX-License-Identifier: MIT
#include "tools/render/opus_file.h"

#include <doctest/doctest.h>
#include <ogg/ogg.h>
#include <opus.h>

#include <cmath>

#include "tests/unit/streamd/encode/opus_support.h"
#include "tests/unit/support.h"

namespace auralis::opus_file_test {
namespace {

using namespace test;

constexpr double kHz = 441;
constexpr double kAmplitude = 0.5;

SoundFormat format_at(std::uint32_t rate) {
  SoundFormat format;
  format.type = SoundType::kOpus;
  format.sample_rate = rate;
  return format;
}

// A file of a tone, written in pieces of that many frames.
std::string tone_file(const std::filesystem::path& path, std::uint32_t rate, std::int64_t frames,
                      std::int64_t piece) {
  OpusFile file(path, format_at(rate), false);
  std::vector<std::int16_t> samples;
  for (std::int64_t i = 0; i < frames; ++i) {
    const double at = static_cast<double>(i) / rate;
    samples.insert(samples.end(), 2, static_cast<std::int16_t>(32'767 * tone(kHz, kAmplitude)(at)));
  }
  for (std::int64_t at = 0; at < frames; at += piece)
    file.write(samples.data() + 2 * at, std::min(piece, frames - at));
  file.finish();
  CHECK_FALSE(std::filesystem::exists(path));
  file.publish();
  return read_file(path);
}

// What a player makes of it: the left channel at 48 kHz, without the encoder's delay.
std::vector<double> played(const std::string& bytes) {
  ogg_sync_state sync;
  ogg_sync_init(&sync);
  std::memcpy(ogg_sync_buffer(&sync, static_cast<long>(bytes.size())), bytes.data(), bytes.size());
  ogg_sync_wrote(&sync, static_cast<long>(bytes.size()));
  ogg_stream_state stream{};
  ogg_page page;
  ogg_packet packet;
  int error = 0;
  OpusDecoder* const decoder = opus_decoder_create(48'000, 2, &error);
  std::vector<double> left;
  std::vector<float> frames(2 * kMostFrames);
  std::size_t packets = 0;
  std::size_t skip = 0;
  bool ended = false;
  while (ogg_sync_pageout(&sync, &page) == 1) {
    if (ogg_page_bos(&page) != 0) ogg_stream_init(&stream, ogg_page_serialno(&page));
    ended = ogg_page_eos(&page) != 0;
    ogg_stream_pagein(&stream, &page);
    while (ogg_stream_packetout(&stream, &packet) == 1) {
      if (packets++ == 0) skip = packet.packet[10] + 256U * packet.packet[11];
      if (packets <= 2) continue;  // OpusHead and OpusTags
      const int count = opus_decode_float(decoder, packet.packet, static_cast<int>(packet.bytes),
                                          frames.data(), kMostFrames, 0);
      for (int i = 0; i < count; ++i)
        left.push_back(static_cast<double>(frames[2 * static_cast<std::size_t>(i)]));
    }
  }
  CHECK(ended);
  opus_decoder_destroy(decoder);
  ogg_stream_clear(&stream);
  ogg_sync_clear(&sync);
  left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(std::min(skip, left.size())));
  return left;
}

double rms(const std::vector<double>& samples, double from_s, double to_s) {
  double squares = 0;
  const auto begin = static_cast<std::size_t>(from_s * 48'000);
  const auto end = static_cast<std::size_t>(to_s * 48'000);
  for (std::size_t i = begin; i < end; ++i) squares += samples.at(i) * samples.at(i);
  return std::sqrt(squares / static_cast<double>(end - begin));
}

TEST_CASE("what was written is played, all of it, and hardly more") {
  const TempDir folder;
  for (const std::uint32_t rate : {44'100U, 48'000U}) {
    CAPTURE(rate);
    const std::int64_t frames = rate + rate / 3;  // no whole number of packets
    const std::string bytes =
        tone_file(folder.path() / (std::to_string(rate) + ".opus"), rate, frames, 1'000);
    const std::vector<double> left = played(bytes);
    const double seconds = static_cast<double>(left.size()) / 48'000;
    CHECK(seconds >= 4.0 / 3);
    CHECK(seconds < 4.0 / 3 + 0.06);
    CHECK(rms(left, 0.1, 1.3) == doctest::Approx(kAmplitude / std::sqrt(2)).epsilon(0.05));
    CHECK(rms(left, 1.31, 1.33) > 0.2);
  }
}

TEST_CASE("the same music gives the same bytes, in whatever pieces it is written") {
  const TempDir folder;
  CHECK(tone_file(folder.path() / "a.opus", 44'100, 50'000, 441) ==
        tone_file(folder.path() / "b.opus", 44'100, 50'000, 50'000));
}

TEST_CASE("an existing file is kept") {
  const TempDir folder;
  tone_file(folder.path() / "a.opus", 48'000, 100, 100);
  CHECK_THROWS_AS(OpusFile(folder.path() / "a.opus", format_at(48'000), false), FileError);
}

}  // namespace
}  // namespace auralis::opus_file_test
