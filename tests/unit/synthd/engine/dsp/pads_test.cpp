// SPDX-License-Identifier: MIT
// Pads compared with their definition, frame by frame, on every available engine.
#include "synthd/engine/voice_pack.h"
#include "tests/unit/synthd/engine_fixture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace auralis::pads_test {

using namespace test;

namespace {

// The finaliser of MurmurHash3.
std::uint32_t murmur(std::uint32_t x) {
  x = (x ^ x >> 16) * 0x85ebca6bU;
  x = (x ^ x >> 13) * 0xc2b2ae35U;
  return x ^ x >> 16;
}

// A pad's tone before its release, by its definition: a frame of a chunk that starts with a tile. Its level
// is linear over a tile.
double pad_tone(const EngineShape& shape, const PackedVoice& tone, std::int64_t frame) {
  constexpr double kTurn = 4'294'967'296.0;
  const auto wave = [](std::uint32_t phase) { return std::sin(2 * M_PI * phase / kTurn); };
  const auto level = [&](std::int64_t at) {
    const std::uint32_t tremolo = increment_of(0.5, shape.sample_rate) * static_cast<std::uint32_t>(at);
    const double seconds = static_cast<double>(at) / shape.sample_rate;
    const double risen = std::min(seconds / 2.5, 1.0);
    const double attack = risen * risen * (3 - 2 * risen);
    const double decay = 1 - 0.25 * std::clamp((seconds - 2.5) / 3, 0.0, 1.0);
    return attack * decay * (0.9 + 0.1 * wave(tremolo + murmur(tone.seed)));
  };
  const std::int64_t n = frame - tone.start;
  const std::int64_t tile = n - frame % kTileFrames;
  const double along = static_cast<double>(frame % kTileFrames) / kTileFrames;
  const auto un = static_cast<std::uint32_t>(n);
  const double t = static_cast<std::int32_t>(tone.second * un + murmur(tone.seed + 1));
  const double x = std::clamp(t * double{tone.shape}, -1.0, 1.0);
  // 35/64 of the integral of (1 - x^2)^3 from 0 on: half of the saw's fall at x = 1.
  const double fall = 0.546875 * (x - std::pow(x, 3) + 0.6 * std::pow(x, 5) - std::pow(x, 7) / 7);
  return (level(tile) + along * (level(tile + kTileFrames) - level(tile))) *
         (wave(tone.increment * un + tone.seed) + 0.5 * t / kTurn - fall);
}

// Error of a single pad's left side in a chunk that starts with a tile, relative to the largest value of its
// tones, before the reverb's shortest line has passed.
double pad_error(Engine& engine, const Voice& pad, std::int64_t begin) {
  const EngineShape shape = float_shape();
  const std::vector<Voice> voices{pad};
  const StationChunk input = chunk_of(voices, begin);
  std::vector<PackedVoice> tones(shape.voices);
  PackedStation station;
  VoicePacker(shape).pack(input, tones.data(), station);
  REQUIRE(station.ends[0] == 2);
  engine.forget(0);
  engine.render(&input, 1);
  double error = 0;
  double largest = 0;
  for (std::int64_t frame = 0; frame < 1'000; ++frame) {
    double left = 0;
    for (std::size_t i = 0; i < 2; ++i) left += double{tones[i].left} * pad_tone(shape, tones[i], frame);
    largest = std::max(largest, std::abs(left));
    error = std::max(error, std::abs(engine.mix(0)[2 * frame] / 0.7 - left));
  }
  return error / largest;
}

Voice quiet_pad(double hz) {
  Voice pad = voice_of(VoiceType::kPad, 0, 20 * kRate, hz);
  pad.gain = 0.001F;  // avoids saturation
  return pad;
}

// Inverse of murmur: returns the input whose hash is x.
std::uint32_t murmured_to(std::uint32_t x) {
  x = (x ^ x >> 16) * 0x7ed1b41dU;
  x = (x ^ x >> 13 ^ x >> 26) * 0xa5cb9243U;
  return x ^ x >> 16;
}

}  // namespace

TEST_CASE("a pad is a sine plus a quarter of a saw, frame by frame, at any pitch, held or rising") {
  for_each_engine([&](const EngineKind& kind) {
    const auto engine = kind.make(float_shape());
    // In the middle of the attack, where it is steepest, and in the sustain.
    for (const std::int64_t begin : {kRate * 5 / 4, 6 * kRate}) {
      CAPTURE(begin);
      // On both sides of the limits of the polynomials of a tile and of half a tile (voices.h), and of the
      // number of edges found at a time (pad_saws.h).
      for (const double hz : {31.0,  55.0,  110.0, 129.2, 196.3, 277.1, 340.0,   343.9,   345.5,   439.7,
                              523.2, 613.0, 645.0, 648.0, 687.0, 691.0, 1'120.0, 1'916.0, 2'500.0, 4'999.0}) {
        CAPTURE(hz);
        CHECK(pad_error(*engine, quiet_pad(hz), begin / kTileFrames * kTileFrames) < 1e-5);
      }
    }
  });
}

TEST_CASE("a saw falls where its phase says, however near to borders of half rows and ranges of frames") {
  constexpr std::int64_t kBegin = std::int64_t{4'000} * kTileFrames;
  for_each_engine([&](const EngineKind& kind) {
    const auto engine = kind.make(float_shape());
    for (const double hz : {110.0, 220.0, 440.0, 687.2}) {
      Voice pad = quiet_pad(hz);
      const std::vector<Voice> voices{pad};
      std::vector<PackedVoice> tones(float_shape().voices);
      PackedStation station;
      VoicePacker(float_shape()).pack(chunk_of(voices, kBegin), tones.data(), station);
      const std::uint32_t increment = tones[0].second;
      for (const std::uint32_t frame : {28U, 60U, 92U, 188U, 540U}) {
        for (const std::uint32_t frames : {0U, 8U, 16U, 24U, 28U, 32U}) {
          for (const std::int32_t beside : {-63, -17, -4, -1, 0, 1}) {
            // Phase of the saw in `frame`, since its edge.
            const std::uint32_t turned = increment * frames + static_cast<std::uint32_t>(beside);
            const std::uint32_t n = frame - static_cast<std::uint32_t>(tones[0].start);
            pad.seed = murmured_to(turned - increment * n) - 1;
            CAPTURE(hz);
            CAPTURE(frame);
            CAPTURE(frames);
            CAPTURE(beside);
            CHECK(pad_error(*engine, pad, kBegin) < 1e-5);
          }
        }
      }
    }
  });
}

TEST_CASE("pads have the same bits for any chunk length, whatever the number and position of their edges") {
  std::vector<Voice> voices;
  for (int i = 0; i < 64; ++i) {
    Voice pad = voice_of(VoiceType::kPad, std::int64_t{i} * 700, 3 * kRate, 60 * std::exp2(i / 19.0));
    pad.gain = 0.005F;
    pad.seed = static_cast<std::uint32_t>(i);
    voices.push_back(pad);
  }
  // One starts with a block of the longest chunk that is not a block of the others, and its saw falls at
  // once.
  voices.front() = voice_of(VoiceType::kPad, std::int64_t{3} * kBlockFrames, 3 * kRate, 220);
  std::vector<PackedVoice> tones(float_shape().voices);
  PackedStation station;
  const std::vector<Voice> alone{voices.front()};
  VoicePacker(float_shape()).pack(chunk_of(alone, 0), tones.data(), station);
  voices.front().seed = murmured_to(tones[0].second / 2 - 2 * tones[0].second) - 1;
  for_each_engine([&](const EngineKind& kind) {
    const auto in_pieces = [&](std::uint32_t chunk_frames) {
      EngineShape shape = float_shape();
      shape.chunk_frames = chunk_frames;
      const auto engine = kind.make(shape);
      std::vector<float> mix;
      for (std::int64_t frame = 0; frame < std::int64_t{8'820} * 8; frame += chunk_frames) {
        const StationChunk input = chunk_of(voices, frame);
        engine->render(&input, 1);
        mix.insert(mix.end(), engine->mix(0), engine->mix(0) + std::size_t{chunk_frames} * 2);
      }
      return mix;
    };
    const std::vector<float> whole = in_pieces(8'820);
    CHECK(in_pieces(4'410) == whole);
    CHECK(in_pieces(882) == whole);
  });
}

}  // namespace auralis::pads_test
