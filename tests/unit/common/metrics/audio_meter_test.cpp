// SPDX-License-Identifier: MIT
// On signals that are known; audio_meter_music_test.cpp measures music.
#include "common/metrics/audio_meter.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace auralis::audio_meter_test {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr std::uint32_t kRate = 44'100;
constexpr std::uint32_t kFrames = 4'410;
constexpr int kWindow = 30;  // chunks

using Chunk = std::vector<std::int16_t>;

// Both channels alike.
template <typename Signal>
Chunk chunk_of(std::int64_t first_frame, std::uint32_t frames, const Signal& signal) {
  Chunk chunk;
  for (std::int64_t frame = first_frame; frame < first_frame + frames; ++frame)
    chunk.insert(chunk.end(), AudioMeter::kChannels, static_cast<std::int16_t>(std::lround(signal(frame))));
  return chunk;
}

// Chunk `number` of a sine; `amplitude` of full scale.
Chunk sine(std::int64_t number, double amplitude, double hz = 997, std::uint32_t rate = kRate,
           std::uint32_t frames = kFrames) {
  return chunk_of(number * frames, frames, [=](std::int64_t frame) {
    return 32'768 * amplitude * std::sin(2 * kPi * hz * static_cast<double>(frame) / rate);
  });
}

Chunk constant(int value) {
  return Chunk(std::size_t{kFrames} * AudioMeter::kChannels, static_cast<std::int16_t>(value));
}

std::int64_t clipped(AudioMeter& meter, const Chunk& chunk) {
  return meter.add(chunk.data()).clipped_samples;
}
bool continues(AudioMeter& meter, const Chunk& chunk) { return !meter.add(chunk.data()).discontinuous; }

}  // namespace

TEST_CASE("AudioMeter: a sine of 997 Hz at -20 dBFS in both channels has -20 LUFS, in chunks of any length") {
  struct Case {
    std::uint32_t rate;
    std::uint32_t frames;
  };
  for (const Case& c : {Case{44'100, 4'410}, Case{44'100, 882}, Case{48'000, 9'600}, Case{48'000, 3'360}}) {
    CAPTURE(c.rate);
    CAPTURE(c.frames);
    AudioMeter meter(c.rate, c.frames);
    std::int64_t number = 0;
    for (std::int64_t frame = 0; frame < 3 * c.rate; frame += c.frames) {
      CHECK_FALSE(meter.loudness_lufs());
      meter.add(sine(number++, 0.1, 997, c.rate, c.frames).data());
    }
    REQUIRE(meter.loudness_lufs());
    // 0.1: the tolerance of EBU Tech 3341.
    CHECK(std::abs(*meter.loudness_lufs() + 20) <= 0.1);
    CHECK(meter.peak() == doctest::Approx(0.1).epsilon(0.001));
  }
}

TEST_CASE("AudioMeter: level and loudness are those of the last 3 s") {
  AudioMeter meter(kRate, kFrames);
  for (int i = 0; i < kWindow; ++i) meter.add(sine(i, 0.1).data());
  for (int i = kWindow; i < kWindow + 15; ++i) meter.add(sine(i, 0.01).data());
  CHECK(meter.peak() == doctest::Approx(0.1).epsilon(0.001));
  CHECK(*meter.loudness_lufs() == doctest::Approx(-23).epsilon(0.01));  // half of the power
  for (int i = kWindow + 15; i < 2 * kWindow; ++i) meter.add(sine(i, 0.01).data());
  CHECK(meter.peak() == doctest::Approx(0.01).epsilon(0.01));
  CHECK(*meter.loudness_lufs() == doctest::Approx(-40).epsilon(0.01));
}

TEST_CASE("AudioMeter: silence is silent though it is dithered, and music at -78 dBFS is not") {
  AudioMeter meter(kRate, kFrames);
  for (int i = 0; i < kWindow; ++i) CHECK(meter.add(constant(0).data()).silent);
  CHECK(meter.peak() == 0);
  CHECK(meter.loudness_lufs() == AudioMeter::kLeastLufs);
  for (const int dither : {-2, 1, 2}) CHECK(meter.add(constant(dither).data()).silent);
  Chunk faint = constant(0);
  faint.back() = -4;
  CHECK_FALSE(meter.add(faint.data()).silent);
}

TEST_CASE("AudioMeter: samples at full scale are clipped in runs, of one channel, also across chunks") {
  AudioMeter meter(kRate, kFrames);
  const auto square =
      chunk_of(0, kFrames, [](std::int64_t frame) { return frame / 50 % 2 == 0 ? 32'767 : -32'768; });
  CHECK(clipped(meter, square) == std::int64_t{2} * kFrames);
  CHECK(clipped(meter, sine(0, 0.99)) == 0);

  Chunk touching = constant(100);
  for (const std::size_t frame : {10U, 11U, 500U}) touching[2 * frame] = 32'767;
  INFO("two in a row, and one in each channel, are no run");
  touching[2 * 700] = touching[2 * 700 + 1] = -32'768;
  CHECK(clipped(meter, touching) == 0);

  Chunk ending = constant(100);
  Chunk beginning = constant(100);
  ending[ending.size() - 1] = ending[ending.size() - 3] = 32'767;
  beginning[1] = beginning[3] = 32'767;
  CHECK(clipped(meter, ending) == 0);
  CHECK(clipped(meter, beginning) == 4);
}

TEST_CASE("AudioMeter: the chunks of a waveform continue each other, a wrong one does not") {
  AudioMeter meter(kRate, kFrames);
  // The last chunk of each of these ends at a crest; a whole period would hide what is missing.
  constexpr double kHz = 112.5;
  const auto chunk = [](std::int64_t number) { return sine(number, 0.2, kHz); };
  INFO("nothing precedes the first");
  CHECK(continues(meter, chunk(0)));
  std::int64_t number = 1;
  for (; number < 50; ++number) CHECK(continues(meter, chunk(number)));

  INFO("a chunk is missing");
  CHECK_FALSE(continues(meter, chunk(++number)));
  CHECK(continues(meter, chunk(++number)));

  INFO("a chunk is replaced by zeros: a click at both its ends");
  CHECK_FALSE(continues(meter, constant(0)));
  CHECK(continues(meter, constant(0)));
  CHECK_FALSE(continues(meter, chunk(3)));

  INFO("the first samples are wrong");
  Chunk torn = chunk(4);
  torn[0] = torn[1] = 6'000;
  CHECK_FALSE(continues(meter, torn));
}

TEST_CASE("AudioMeter: what the waveform itself does is no discontinuity") {
  AudioMeter meter(kRate, kFrames);
  const auto saw = [](std::int64_t frame) { return static_cast<double>(frame % 101) * 100 - 5'000; };
  for (std::int64_t number = 0; number < 50; ++number)
    CHECK(continues(meter, chunk_of(number * kFrames, kFrames, saw)));
  INFO("dither of silence");
  AudioMeter faint(kRate, kFrames);
  for (const int value : {1, -1, 0, 2, 0}) CHECK(continues(faint, constant(value)));
}

TEST_CASE("AudioMeter: chunks that no configuration makes are not measured") {
  CHECK(AudioMeter::can_measure(44'100, 4'410));
  CHECK(AudioMeter::can_measure(192'000, 3'840));
  CHECK(AudioMeter::can_measure(8'000, 160));
  CHECK_FALSE(AudioMeter::can_measure(44'100, 44'100));
  CHECK_FALSE(AudioMeter::can_measure(44'100, 10));
  CHECK_FALSE(AudioMeter::can_measure(44'100, 1));
  CHECK_FALSE(AudioMeter::can_measure(0, 0));
}

}  // namespace auralis::audio_meter_test
