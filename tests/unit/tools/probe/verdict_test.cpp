// SPDX-License-Identifier: MIT
#include "tools/probe/verdict.h"

#include "streamd/encode/opus_stream.h"
#include "tests/unit/streamd/encode/opus_support.h"
#include "tools/probe/opus_audio.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

namespace auralis::verdict_test {

using namespace test;

namespace {

constexpr std::size_t kChunkSamples = 8'820;
constexpr std::size_t kChunks = 30;

// Chunks 100 to 129 of a station, received as they are, and the music that is expected.
struct Fixture {
  TestStation station{44'100, 100, tone(440, 0.25)};
  Timeline timeline;
  Reception reception;
  std::vector<std::int16_t> expected;

  Fixture() {
    for (std::size_t i = 0; i < kChunks; ++i) {
      const AudioChunk chunk = station.chunk(100 + static_cast<std::int64_t>(i));
      reception.chunks.push_back(
          {read_binary_message(pcm_header(chunk)), std::string(chunk.samples.bytes())});
      for (std::size_t s = 0; s < chunk.samples.size(); ++s) expected.push_back(chunk.samples[s]);
    }
  }
  // Adds to sample `index` of received chunk `chunk`.
  void alter(std::size_t chunk, std::size_t index, int by) {
    char* const at = reception.chunks.at(chunk).audio.data() + 2 * index;
    std::int16_t sample = 0;
    std::memcpy(&sample, at, sizeof sample);
    sample = static_cast<std::int16_t>(sample + by);
    std::memcpy(at, &sample, sizeof sample);
  }
  void drop(std::size_t chunk) {
    reception.chunks.erase(reception.chunks.begin() + static_cast<std::ptrdiff_t>(chunk));
  }
  Verdict judged(Strictness strictness = Strictness::kExact) const {
    return judge_pcm(reception, timeline, expected, strictness);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "music as expected is exact") {
  const Verdict verdict = judged();
  CHECK(verdict.reason.empty());
  CHECK(verdict.exact);
  CHECK_FALSE(verdict.snr_db);
  CHECK(verdict.peak == doctest::Approx(8'192).epsilon(0.01));
  CHECK(verdict.gaps == 0);
  CHECK(verdict.wrong == 0);
}

TEST_CASE_FIXTURE(Fixture, "one altered sample is found") {
  alter(7, 4'001, 1);
  const int right = expected[7 * kChunkSamples + 4'001];
  const Verdict verdict = judged();
  CHECK_FALSE(verdict.exact);
  CHECK(verdict.reason == "chunk 107, frame 2000, right: expected " + std::to_string(right) + ", got " +
                              std::to_string(right + 1) + "; 1 of 30 chunks differ, by 1 at most");
  CHECK(verdict.snr_db.value() > 100);
  CHECK(verdict.wrong == 1);
}

TEST_CASE_FIXTURE(Fixture, "music of another engine is close, and no more") {
  for (std::size_t chunk = 0; chunk < kChunks; ++chunk) {
    for (std::size_t i = 0; i < kChunkSamples; i += 50) alter(chunk, i, i % 100 == 0 ? 1 : -1);
  }
  CHECK(judged().reason.find("another engine? See --compare close") != std::string::npos);
  const Verdict close = judged(Strictness::kClose);
  CHECK(close.reason.empty());
  CHECK_FALSE(close.exact);
  CHECK(close.snr_db.value() > kLeastCloseSnrDb);
  CHECK(close.wrong == 0);
  CHECK(judged().wrong == kChunks);
  for (std::size_t i = 0; i < kChunkSamples; ++i) alter(20, i, 2'000);
  const Verdict far = judged(Strictness::kClose);
  CHECK(far.reason.find("chunk 100, frame 0, left: expected") == 0);
  CHECK(far.snr_db.value() < kLeastCloseSnrDb);
}

TEST_CASE_FIXTURE(Fixture, "a dropped chunk is a gap, with the chunks around it") {
  drop(12);
  drop(12);
  CHECK(consecutive_chunks(reception) == 12);
  const Verdict verdict = judged();
  CHECK_FALSE(verdict.exact);
  CHECK(verdict.gaps == 2);
  CHECK(verdict.wrong == 2);
  CHECK(verdict.reason == "gap: chunk 111 is followed by chunk 114");
}

TEST_CASE_FIXTURE(Fixture, "silence in place of music is an underrun") {
  reception.chunks[5].head.silence = true;
  reception.chunks[5].audio.assign(kChunkSamples * 2, '\0');
  CHECK(judged().reason == "underrun: chunk 105 is silence in place of music");
  CHECK(judged().wrong == 1);
}

TEST_CASE_FIXTURE(Fixture, "music that nobody can hear is told, even if it is right") {
  for (std::size_t chunk = 0; chunk < kChunks; ++chunk)
    reception.chunks[chunk].audio.assign(kChunkSamples * 2, '\0');
  expected.assign(expected.size(), 0);
  const Verdict verdict = judged();
  CHECK(verdict.exact);
  CHECK(verdict.reason == "silence: the music's peak is 0 of 32767");
}

TEST_CASE_FIXTURE(Fixture, "an early end and a wrong length are told") {
  reception.ended = "no chunk for 5 s, after 30 chunks";
  CHECK(judged().reason == reception.ended);
  reception.chunks[4].audio.pop_back();
  CHECK(judged().reason.find("chunk 104 has another rate or length") == 0);
  CHECK(judged().wrong == 1);
}

TEST_CASE_FIXTURE(Fixture, "Opus is judged by its distance from the music") {
  OpusStream stream(station.sample_rate);
  for (std::size_t i = 0; i < kChunks; ++i) {
    const AudioChunk chunk = station.chunk(100 + static_cast<std::int64_t>(i));
    const std::string message = encode_opus(chunk, stream.encode(chunk));
    reception.chunks[i] = {read_binary_message(message), message.substr(kHeaderBytes)};
  }
  const AudioChunk before = station.chunk(99);
  for (std::size_t s = before.samples.size(); s-- > 0;) expected.insert(expected.begin(), before.samples[s]);
  const Verdict right = judge_opus(reception, timeline, expected);
  CHECK(right.reason.empty());
  CHECK(right.snr_db.value() > kLeastOpusSnrDb);
  CHECK_FALSE(right.exact);
  CHECK(right.peak == doctest::Approx(8'192).epsilon(0.1));

  auto other = expected;
  std::rotate(other.begin(), other.begin() + 20, other.end());
  const Verdict late = judge_opus(reception, timeline, other);
  CHECK(late.reason.find("decoded Opus is") == 0);

  drop(20);
  CHECK(judge_opus(reception, timeline, expected).reason == "gap: chunk 119 is followed by chunk 121");
  reception.chunks[2].audio = "x";
  CHECK(judge_opus(reception, timeline, expected).reason == "a packet that is not Opus");
}

}  // namespace auralis::verdict_test
