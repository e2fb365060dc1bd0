// SPDX-License-Identifier: MIT
#include "streamd/encode/resampler.h"

#include <doctest/doctest.h>

#include "tests/unit/streamd/encode/opus_support.h"

namespace auralis::resampler_test {
namespace {

using namespace test;

// `seconds` of a tone at 44.1 kHz on the left, in pieces of 10 ms; the right is silent.
std::vector<float> resampled(double hz, int seconds) {
  Resampler resampler(44'100, 48'000, 2);
  std::vector<float> out;
  std::vector<float> piece(std::size_t{2} * 441);
  for (int at = 0; at < seconds * 44'100; at += 441) {
    for (int frame = 0; frame < 441; ++frame) {
      piece[2 * static_cast<std::size_t>(frame)] =
          static_cast<float>(0.5 * std::sin(kTwoPi * hz * (at + frame) / 44'100));
    }
    resampler.process(piece, out);
  }
  return out;
}

TEST_CASE("44.1 kHz becomes 48 kHz: as loud, in time, and with nothing else above -100 dB") {
  const double delay = Resampler(44'100, 48'000, 2).delay_frames();
  CHECK(delay == doctest::Approx(80.0 * 160 / 147));
  for (const double hz : {100.0, 1'000.0, 5'000.0, 10'000.0, 15'000.0, 18'000.0, 20'000.0}) {
    CAPTURE(hz);
    Stereo heard;
    const std::vector<float> out = resampled(hz, 2);
    heard.append(out.data(), out.size() / 2);
    const FittedTone fit = fit_tone(heard.left, hz, 48'000, 48'000, 96'000);
    MESSAGE(hz << " Hz: " << fit.ratio_db << " dB over images, aliases and noise");
    CHECK(fit.ratio_db > 100);
    CHECK(std::abs(decibels(fit.amplitude / 0.5)) < 0.05);
    const double off = std::remainder(fit.radians - kTwoPi * hz * (48'000 - delay) / 48'000, kTwoPi);
    CHECK(std::abs(off / (kTwoPi * hz / 48'000)) < 0.01);  // frames
    CHECK(peak(heard.right, 0, heard.frames()) == 0);
  }
}

TEST_CASE("every 10 ms of 44.1 kHz become 480 frames, from the first on") {
  Resampler resampler(44'100, 48'000, 2);
  std::vector<float> out;
  for (std::size_t piece = 1; piece <= 1'000; ++piece) {
    resampler.process(std::vector<float>(std::size_t{2} * 441), out);
    REQUIRE(out.size() == piece * 2 * 480);
  }
}

TEST_CASE("after a reset nothing is left of the former stream") {
  Resampler resampler(44'100, 48'000, 2);
  std::vector<float> out;
  resampler.process(std::vector<float>(std::size_t{2} * 441, 1.0F), out);
  resampler.reset();
  out.clear();
  resampler.process(std::vector<float>(std::size_t{2} * 441), out);
  CHECK(out == std::vector<float>(std::size_t{2} * 480));
}

}  // namespace
}  // namespace auralis::resampler_test
