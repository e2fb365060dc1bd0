// SPDX-License-Identifier: MIT
#include "tools/probe/opus_audio.h"

#include "streamd/encode/opus_stream.h"
#include "tests/unit/streamd/encode/opus_support.h"

#include <doctest/doctest.h>

#include <cmath>

namespace auralis::opus_audio_test {

using namespace test;

namespace {

ReceivedChunk received(OpusStream& stream, const AudioChunk& chunk) {
  const std::string message = encode_opus(chunk, stream.encode(chunk));
  return {read_binary_message(message), message.substr(kHeaderBytes)};
}

Timeline timeline_of(const TestStation& station) {
  Timeline timeline;
  timeline.sample_rate = station.sample_rate;
  timeline.chunk_frames = station.chunk_frames();
  return timeline;
}

// Decibels of the music above what the codec changes, of a listener who joins at chunk `joined`.
double ratio_db(const TestStation& station, std::int64_t joined) {
  OpusStream stream(station.sample_rate);
  std::vector<ReceivedChunk> chunks;
  std::vector<std::int16_t> samples;
  for (std::int64_t seq = 0; seq < joined + 40; ++seq) {
    const AudioChunk chunk = station.chunk(seq);
    ReceivedChunk one = received(stream, chunk);
    if (seq >= joined) chunks.push_back(std::move(one));
    if (seq >= joined - 1)
      for (std::size_t i = 0; i < chunk.samples.size(); ++i) samples.push_back(chunk.samples[i]);
  }
  const auto heard = decode_opus(chunks, chunks.size()).value();
  const auto ideal = ideal_opus(timeline_of(station), samples, chunks.front().head);
  REQUIRE(std::min(heard.size(), ideal.size()) > 60'000);
  double signal = 0;
  double difference = 0;
  for (std::size_t i = 20'000; i < std::min(heard.size(), ideal.size()); ++i) {
    signal += ideal[i] * ideal[i];
    difference += (heard[i] - ideal[i]) * (heard[i] - ideal[i]);
  }
  return 10 * std::log10(signal / difference);
}

}  // namespace

TEST_CASE("what is decoded lies upon the ideal, at each rate and length of chunks, from any chunk on") {
  for (const std::uint32_t rate : {44'100U, 48'000U}) {
    for (const std::uint32_t chunk_ms : {20U, 30U, 100U}) {
      const TestStation station{rate, chunk_ms, tone(3'000, 0.5)};
      for (const std::int64_t joined : {3, 4}) {
        CAPTURE(rate);
        CAPTURE(chunk_ms);
        CAPTURE(joined);
        // At this pitch half a frame of misalignment leaves 14 dB.
        CHECK(ratio_db(station, joined) > 25);
      }
    }
  }
}

TEST_CASE("a chunk is due where its PCM would be") {
  for (const std::uint32_t chunk_ms : {20U, 30U, 100U}) {
    const TestStation station{44'100, chunk_ms, tone(440, 0.5)};
    OpusStream stream(station.sample_rate);
    for (std::int64_t seq = 0; seq < 6; ++seq) {
      const ReceivedChunk one = received(stream, station.chunk(seq));
      CHECK(std::abs(opus_chunk_due_us(timeline_of(station), one.head) - station.chunk(seq).due_unix_us) <=
            1);
    }
  }
}

TEST_CASE("what is no packet is told") {
  const TestStation station{44'100, 100, tone(440, 0.5)};
  OpusStream stream(station.sample_rate);
  const ReceivedChunk good = received(stream, station.chunk(0));
  CHECK(decode_opus({good}, 1));
  const auto with = [&](const std::string& audio) {
    ReceivedChunk bad = good;
    bad.audio = audio;
    return std::vector<ReceivedChunk>{bad};
  };
  CHECK_FALSE(decode_opus(with(good.audio.substr(0, good.audio.size() - 1)), 1));
  CHECK_FALSE(decode_opus(with(good.audio + "x"), 1));
  CHECK_FALSE(decode_opus(with(std::string(2, '\0')), 1));
  CHECK_FALSE(decode_opus(with(""), 1));
}

}  // namespace auralis::opus_audio_test
