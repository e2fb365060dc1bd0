// SPDX-License-Identifier: MIT
#include "streamd/encode/station_encoder.h"

#include <doctest/doctest.h>

#include <deque>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "streamd/encode/wav_stream.h"
#include "tests/unit/streamd/support.h"

namespace auralis::station_encoder_test {
namespace {

constexpr std::uint32_t kRate = 48'000;
constexpr std::uint32_t kFrames = 4'800;

struct Fixture {
  test::HeldExecutor executor;
  test::ManualClock clock;
  test::OwnMetrics own;
  StationEncoder encoder{executor, clock, own.metrics.encode_ms, {"garden", 96'000, false}};
  std::deque<EncodedChunk> held;

  EncodedChunk& add(std::int64_t seq, std::int16_t value = 100) {
    PcmMessage pcm(std::size_t{kFrames} * 2);
    std::fill_n(pcm.data(), kFrames * 2, value);
    AudioChunk audio;
    audio.seq = seq;
    audio.sample_rate = kRate;
    audio.channels = 2;
    audio.frames = kFrames;
    audio.samples = pcm.samples();
    held.push_back({std::move(audio), std::move(pcm), {}, {}, {}, {}, false});
    return held.back();
  }
  EncodedChunk* find(std::int64_t seq) {
    for (EncodedChunk& one : held) {
      if (one.audio.seq == seq) return &one;
    }
    return nullptr;
  }
  void collect() {
    encoder.collect([this](std::int64_t seq) { return find(seq); });
  }
  double encoded() const { return own.sample("auralis_stage_latency_ms", "encode").count(); }
  static std::string_view payload(const AudioMessagePtr& audio) { return payload_of(*audio->message); }
};

TEST_CASE_FIXTURE(Fixture, "each format is made once and shared, and says which chunk it is and how long") {
  EncodedChunk& chunk = add(7);
  for (const WireFormat format : {WireFormat::kPcm, WireFormat::kJson, WireFormat::kWav}) {
    const AudioMessagePtr message = encoder.message(chunk, format);
    REQUIRE(message);
    CHECK(message == encoder.message(chunk, format));
    CHECK(message->seq == 7);
    CHECK(message->duration_ns == 100 * kNsPerMs);
    CHECK_FALSE(message->silence);
  }
}

TEST_CASE_FIXTURE(Fixture, "each encoding is measured once, that in Opus for both of its formats") {
  EncodedChunk& chunk = add(7);
  for (const WireFormat format : {WireFormat::kPcm, WireFormat::kJson, WireFormat::kWav, WireFormat::kPcm})
    encoder.message(chunk, format);
  CHECK(encoded() == 3);
  encoder.submit(chunk, true);
  collect();
  REQUIRE(encoder.message(chunk, WireFormat::kOpus));
  REQUIRE(encoder.message(chunk, WireFormat::kOggOpus));
  CHECK(encoded() == 4);
}

TEST_CASE_FIXTURE(Fixture, "PCM, WAV and JSON carry the same samples, and PCM does not copy them") {
  EncodedChunk& chunk = add(7, 0x1234);
  const std::string_view samples = chunk.audio.samples.bytes();
  CHECK(samples.substr(0, 4) == "\x34\x12\x34\x12");
  CHECK(payload(encoder.message(chunk, WireFormat::kPcm)).substr(kHeaderBytes).data() == samples.data());
  CHECK(payload(encoder.message(chunk, WireFormat::kWav)) == samples);
  const auto json = nlohmann::json::parse(payload(encoder.message(chunk, WireFormat::kJson)));
  CHECK(json["data"].get<std::string>().size() == samples.size() / 3 * 4);
  CHECK(json["data"].get<std::string>().substr(0, 8) == "NBI0EjQS");
}

TEST_CASE_FIXTURE(Fixture, "a chunk is encoded in Opus once it is submitted, done and collected") {
  EncodedChunk& chunk = add(7);
  CHECK_FALSE(encoder.message(chunk, WireFormat::kOpus));
  CHECK_FALSE(encoder.encoding(chunk));
  executor.held = true;
  encoder.submit(chunk, false);
  CHECK(encoder.submitted() == 7);
  CHECK(encoder.encoding(chunk));
  executor.run_waiting(1);
  CHECK(encoder.encoding(chunk));  // done, and not collected
  collect();
  CHECK_FALSE(encoder.encoding(chunk));
  const AudioMessagePtr opus = encoder.message(chunk, WireFormat::kOpus);
  REQUIRE(opus);
  CHECK(payload(opus) == encode_opus(chunk.audio, *chunk.opus));
}

TEST_CASE_FIXTURE(Fixture, "Opus goes forward only: what is submitted late is not encoded") {
  EncodedChunk& first = add(7);
  EncodedChunk& second = add(8);
  encoder.submit(second, false);
  encoder.submit(first, false);
  collect();
  CHECK(second.opus.has_value());
  CHECK_FALSE(first.opus.has_value());
  CHECK(encoder.submitted() == 8);
}

TEST_CASE_FIXTURE(Fixture, "a new listener gets the headers once, present ones the joint of two streams") {
  for (const std::int64_t seq : {7, 8}) encoder.submit(add(seq), true);
  collect();
  const EncodedChunk& first = *find(7);
  CHECK(first.pages.joint.empty());  // all get the head
  CHECK(payload_of(*encoder.stream_head(WireFormat::kOggOpus, {}, &first)) == *first.headers);
  encoder.submit(add(20), false);  // a gap: another logical stream
  collect();
  EncodedChunk& after = *find(20);
  CHECK_FALSE(after.pages.joint.empty());
  CHECK(payload(encoder.message(after, WireFormat::kOggOpus)) == after.pages.joint + after.pages.page);
  CHECK_FALSE(encoder.first_message(after, WireFormat::kOggOpus));
}

TEST_CASE_FIXTURE(Fixture, "a joint whose chunk is no longer held goes to the next chunk") {
  encoder.submit(add(7), false);
  encoder.submit(add(8), false);
  const std::string headers_of_first = [&] {
    held.pop_front();
    collect();
    return find(8)->pages.joint;
  }();
  CHECK(headers_of_first.substr(0, 4) == "OggS");
}

TEST_CASE_FIXTURE(Fixture, "before the first audio, WAV gets its header and the other formats nothing") {
  Timeline timeline;
  timeline.sample_rate = kRate;
  timeline.channels = 2;
  CHECK(payload_of(*encoder.stream_head(WireFormat::kWav, timeline, nullptr)) == wav_header(kRate, 2));
  for (const WireFormat format :
       {WireFormat::kPcm, WireFormat::kJson, WireFormat::kOpus, WireFormat::kOggOpus})
    CHECK_FALSE(encoder.stream_head(format, timeline, nullptr));
}

TEST_CASE_FIXTURE(Fixture, "an encoder that no listener needs any more is released after a while") {
  encoder.submit(add(7), false);
  encoder.release_if_idle(57);
  CHECK(encoder.submitted() == 7);
  encoder.release_if_idle(58);
  CHECK(encoder.submitted() == -1);
}

TEST_CASE_FIXTURE(Fixture, "chunks that are not needed any more are not encoded") {
  executor.held = true;
  for (const std::int64_t seq : {7, 8, 9}) encoder.submit(add(seq), false);
  encoder.skip_before(9);
  CHECK_FALSE(encoder.encoding(*find(8)));
  executor.run_waiting(100);
  collect();
  CHECK_FALSE(find(7)->opus.has_value());
  CHECK(find(9)->opus.has_value());
}

}  // namespace
}  // namespace auralis::station_encoder_test
