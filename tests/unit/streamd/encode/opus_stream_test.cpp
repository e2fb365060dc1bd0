// SPDX-License-Identifier: MIT
#include "streamd/encode/opus_stream.h"

#include <doctest/doctest.h>

#include <random>

#include "tests/unit/streamd/encode/opus_support.h"

namespace auralis::opus_stream_test {
namespace {

using namespace test;

// The chunks of a station from `from` to before `to`, and what a listener hears of them.
struct Broadcast {
  explicit Broadcast(const TestStation& of) : station(of), stream(of.sample_rate) {}

  void play(std::int64_t from, std::int64_t to) {
    for (std::int64_t seq = from; seq < to; ++seq) play(station.chunk(seq));
  }
  void play(const AudioChunk& chunk) {
    sent.push_back(stream.encode(chunk));
    listener.add(sent.back().packets);
  }

  const TestStation& station;
  OpusStream stream;
  std::vector<OpusChunk> sent;
  TestDecoder listener;
};

std::vector<TestStation> every_station() {
  return {{44'100, 20}, {44'100, 30}, {44'100, 100}, {44'100, 200},
          {48'000, 20}, {48'000, 30}, {48'000, 100}, {48'000, 200}};
}

TEST_CASE("a tone comes back: the same frequency, as loud, and when it was said to") {
  for (TestStation station : every_station()) {
    station.sound = tone(440, 0.5);
    CAPTURE(station.sample_rate);
    CAPTURE(station.chunk_ms);
    Broadcast broadcast(station);
    broadcast.play(0, 3'000 / station.chunk_ms);
    const Stereo& heard = broadcast.listener.heard;
    REQUIRE(heard.frames() > 2 * 48'000 + 24'000);
    for (const Signal* side : {&heard.left, &heard.right}) {
      const FittedTone fit = fit_tone(*side, 440, 48'000, 48'000, 96'000);
      MESSAGE(station.sample_rate << " Hz, " << station.chunk_ms << " ms: " << fit.ratio_db
                                  << " dB over the rest, " << decibels(fit.amplitude / 0.5) << " dB louder");
      CHECK(fit.ratio_db > 30);
      CHECK(std::abs(decibels(fit.amplitude / 0.5)) < 0.5);
      const double off = std::remainder(
          fit.radians - kTwoPi * 440 * (48'000.0 - broadcast.stream.delay_frames()) / 48'000, kTwoPi);
      CHECK(std::abs(off / (kTwoPi * 440 / 48'000)) < 1);  // frames
    }
  }
}

// A tone is the same a period later, noise is not.
TEST_CASE("what comes out lags by the stated delay, and by no other") {
  for (const std::uint32_t rate : {44'100U, 48'000U}) {
    std::mt19937 random(1);
    std::vector<std::pair<double, double>> partials(40);  // Hz, radians
    for (auto& [hz, radians] : partials) {
      hz = std::uniform_real_distribution(100.0, 2'000.0)(random);
      radians = std::uniform_real_distribution(0.0, kTwoPi)(random);
    }
    const auto noise = [&](double seconds) {
      double sum = 0;
      for (const auto& [hz, radians] : partials) sum += std::sin(kTwoPi * hz * seconds + radians);
      return sum / 80;
    };
    const TestStation station{rate, 100, noise};
    Broadcast broadcast(station);
    broadcast.play(0, 10);
    const Signal& heard = broadcast.listener.heard.left;
    const auto likeness = [&](int lag) {
      double sum = 0;
      for (int frame = 9'600; frame < 38'400; ++frame) {
        sum += heard[static_cast<std::size_t>(frame)] * noise((frame - lag) / 48'000.0);
      }
      return sum;
    };
    const int delay = static_cast<int>(broadcast.stream.delay_frames());
    CHECK(delay == (rate == 44'100 ? 399 : 312));
    const double there = likeness(delay);
    for (const int off : {-960, -480, -100, -20, -2, 2, 20, 100, 480, 960})
      CHECK(likeness(delay + off) < there);
  }
}

TEST_CASE("a chunk's packets hold its frames, in the long run exactly, and say when they are due") {
  for (TestStation station : every_station()) {
    CAPTURE(station.sample_rate);
    CAPTURE(station.chunk_ms);
    OpusStream stream(station.sample_rate);
    const std::int64_t chunk_frames = std::int64_t{48} * station.chunk_ms;
    const std::int64_t chunks = 18'000 / station.chunk_ms;
    std::int64_t frames = 0;
    for (std::int64_t seq = 0; seq < chunks; ++seq) {
      const OpusChunk chunk = stream.encode(station.silence(7 + seq));
      REQUIRE(chunk.begins == (seq == 0));
      REQUIRE(chunk.first_frame == frames);
      REQUIRE(chunk.frames == chunk.packets.size() * 960);
      REQUIRE(seq * chunk_frames - chunk.lead_frames == frames - stream.delay_frames());
      frames += chunk.frames;
      const std::int64_t waiting = (seq + 1) * chunk_frames - frames;
      REQUIRE((waiting >= 0 && waiting < 960));
    }
    CHECK(frames == std::int64_t{18} * 48'000);
  }
}

TEST_CASE("chunks of 30 ms give one packet and two in turn") {
  const TestStation station{44'100, 30};
  OpusStream stream(station.sample_rate);
  std::vector<std::size_t> packets;
  for (std::int64_t seq = 0; seq < 6; ++seq)
    packets.push_back(stream.encode(station.chunk(seq)).packets.size());
  CHECK(packets == std::vector<std::size_t>{1, 2, 1, 2, 1, 2});
}

TEST_CASE("a minute later the tone is where it would be without conversion") {
  const TestStation station{44'100, 100, tone(1'000, 0.5)};
  Broadcast broadcast(station);
  broadcast.play(0, 600);
  const std::int64_t from = std::int64_t{59} * 48'000 - 480;
  const FittedTone fit = fit_tone(broadcast.listener.heard.left, 1'000, 48'000, from, from + 24'000);
  const double expected =
      kTwoPi * 1'000 * static_cast<double>(from - broadcast.stream.delay_frames()) / 48'000;
  CHECK(std::abs(std::remainder(fit.radians - expected, kTwoPi) / (kTwoPi * 1'000 / 48'000)) < 1);
}

TEST_CASE(
    "a chunk that does not follow resets the encoder, depends on nothing before, and begins without a "
    "click") {
  // At its crest when it begins: a step of half of full scale.
  const TestStation station{44'100, 100,
                            [](double seconds) { return 0.5 * std::cos(kTwoPi * 200 * seconds); }};
  Broadcast broadcast(station);
  broadcast.play(0, 5);
  broadcast.listener = TestDecoder();
  broadcast.play(9, 14);
  for (std::size_t chunk = 0; chunk < broadcast.sent.size(); ++chunk) {
    CHECK(broadcast.sent[chunk].begins == (chunk == 0 || chunk == 5));
  }
  CHECK(broadcast.sent[5].first_frame == 0);
  CHECK(broadcast.sent[5].lead_frames == broadcast.stream.delay_frames());
  OpusStream other(station.sample_rate);
  CHECK(broadcast.sent[5].packets == other.encode(station.chunk(9)).packets);

  const Signal& heard = broadcast.listener.heard.left;
  const double smooth = largest_step(heard, 9'600, 19'200);  // of the tone itself
  const double first = largest_step(heard, 0, 960);
  MESSAGE("largest step: " << first << " where it begins, " << smooth << " of the tone");
  CHECK(first < 1.5 * smooth);
  // An earlier chunk follows no more than a later one.
  CHECK(broadcast.stream.encode(station.chunk(3)).begins);
}

TEST_CASE("silence stays silence, and sound turns to it and comes back without a click") {
  const TestStation station{44'100, 100,
                            [](double seconds) { return 0.5 * std::cos(kTwoPi * 200 * seconds); }};
  Broadcast quiet(station);
  for (std::int64_t seq = 0; seq < 10; ++seq) quiet.play(station.silence(seq));
  CHECK(peak(quiet.listener.heard.left, 0, quiet.listener.heard.frames()) < 1e-9);

  Broadcast broadcast(station);
  broadcast.play(0, 10);
  for (std::int64_t seq = 10; seq < 15; ++seq) broadcast.play(station.silence(seq));
  broadcast.play(15, 20);
  const Signal& heard = broadcast.listener.heard.left;
  const std::int64_t ends = 48'000 + broadcast.stream.delay_frames();
  const std::int64_t begins = ends + 24'000;
  // The encoder keeps direct current out by a filter of 3 Hz, which needs a while to come to rest.
  CHECK(decibels(rms(heard, ends + 16'800, begins - 2'400)) < -80);
  CHECK(decibels(rms(heard, begins + 4'800, begins + 14'400)) == doctest::Approx(-9.03).epsilon(0.03));
  const double smooth = largest_step(heard, 24'000, 43'200);
  CHECK(largest_step(heard, ends - 480, ends + 960) < 1.5 * smooth);
  CHECK(largest_step(heard, begins - 480, begins + 960) < 1.5 * smooth);
}

TEST_CASE("music takes the configured bit rate") {
  std::mt19937 random(1);
  std::normal_distribution<double> noise(0.0, 0.05);
  const TestStation station{44'100, 100,
                            [&](double seconds) { return tone(220, 0.2)(seconds) + noise(random); }};
  for (const std::int32_t bitrate : {32'000, 96'000, 160'000}) {
    OpusStream stream(station.sample_rate, bitrate);
    double bits = 0;
    for (std::int64_t seq = 0; seq < 100; ++seq) {
      for (const std::string& packet : stream.encode(station.chunk(seq)).packets)
        bits += 8 * static_cast<double>(packet.size());
    }
    MESSAGE(bitrate << " bit/s asked for, " << bits / 10 << " taken");
    CHECK(bits / 10 == doctest::Approx(bitrate).epsilon(0.1));
  }
}

}  // namespace
}  // namespace auralis::opus_stream_test
