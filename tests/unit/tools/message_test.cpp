// SPDX-License-Identifier: MIT
#include "tools/message.h"

#include <doctest/doctest.h>

#include <string>
#include <tuple>

#include "streamd/api/messages.h"
#include "streamd/encode/frame.h"
#include "tools/wire.h"

namespace auralis::message_test {
namespace {

using Kind = ServerMessage::Kind;

AudioChunk chunk_of(std::uint32_t frames, std::uint32_t sample_rate) {
  AudioChunk chunk;
  chunk.seq = 123'456'789'012;
  chunk.due_unix_us = 1'700'000'000'000'000;
  chunk.sample_rate = sample_rate;
  chunk.channels = 2;
  chunk.frames = frames;
  chunk.samples = Samples::copy_of(std::vector<std::int16_t>(std::size_t{frames} * 2, 1));
  return chunk;
}

std::string head_of(const std::string& message) { return message.substr(0, FrameReader::kHeadBytes); }

TEST_CASE("the server's audio is numbered and timed by the beginning of its messages") {
  for (const auto& [frames, rate, chunk_ns] :
       {std::tuple{4'410U, 44'100U, 100'000'000}, std::tuple{960U, 48'000U, 20'000'000}}) {
    AudioChunk chunk = chunk_of(frames, rate);
    for (const bool silence : {false, true}) {
      chunk.silence = silence;
      const ServerMessage pcm = read_binary_message(head_of(pcm_header(chunk)));
      CHECK(pcm.kind == Kind::kAudio);
      CHECK(pcm.seq == 123'456'789'012);
      CHECK(pcm.chunk_ns == chunk_ns);
      CHECK(pcm.silence == silence);
      CHECK_FALSE(pcm.opus);
      CHECK(pcm.due_us == 1'700'000'000'000'000);
      CHECK(pcm.sample_rate == rate);
      CHECK(pcm.frames == frames);
    }
    const ServerMessage json = read_text_message(head_of(encode_json(chunk)));
    CHECK(json.kind == Kind::kAudio);
    CHECK(json.seq == 123'456'789'012);
    CHECK(json.chunk_ns == chunk_ns);
  }
}

TEST_CASE("a message of Opus says whether its decoder resets") {
  OpusChunk opus;
  opus.frames = 4'800;
  for (const bool begins : {false, true}) {
    opus.begins = begins;
    const ServerMessage message = read_binary_message(encode_opus(chunk_of(4'410, 44'100), opus));
    CHECK(message.opus);
    CHECK(message.begins == begins);
    CHECK(message.sample_rate == 48'000);
    CHECK(message.frames == 4'800);
  }
}

TEST_CASE("warnings say which chunk they stand for") {
  const ServerMessage skipped = read_text_message(head_of(skipped_message(77)));
  CHECK(skipped.kind == Kind::kSkipped);
  CHECK(skipped.seq == 77);
  const ServerMessage underrun = read_text_message(head_of(underrun_message(78)));
  CHECK(underrun.kind == Kind::kUnderrun);
  CHECK(underrun.seq == 78);
}

TEST_CASE("a status of the queue tells what the server dropped") {
  const ServerMessage status =
      read_text_message(R"({"backlog_ms":0.0,"dropped":7,"format":"auralis.pcm.v1","type":"buffer_status"})");
  CHECK(status.kind == Kind::kStatus);
  CHECK(status.dropped == 7);
  CHECK(read_text_message(R"({"type":"buffer_status"})").kind == Kind::kMalformed);
}

TEST_CASE("other messages are none of a listener's metrics, and garbage is told") {
  CHECK(read_text_message(R"({"type":"status","seq":3})").kind == Kind::kOther);
  CHECK(read_text_message("").kind == Kind::kMalformed);
  CHECK(read_text_message("audio").kind == Kind::kMalformed);
  CHECK(read_text_message(R"({"type":"audio","seq":"x"})").kind == Kind::kMalformed);
  CHECK(read_text_message(R"({"type":"audio","seq":3,"duration_ms":0,)").kind == Kind::kMalformed);
  // Cut off in the middle of the number.
  CHECK(read_text_message(R"({"type":"audio","duration_ms":100.0,"seq":12)").kind == Kind::kMalformed);

  const std::string good = pcm_header(chunk_of(4'410, 44'100));
  CHECK(read_binary_message(good).kind == Kind::kAudio);
  CHECK(read_binary_message(good.substr(0, 31)).kind == Kind::kMalformed);
  CHECK(read_binary_message("X" + good.substr(1)).kind == Kind::kMalformed);
  CHECK(read_binary_message(good.substr(0, 24) + std::string(4, '\0') + good.substr(28)).kind ==
        Kind::kMalformed);
  CHECK(read_binary_message(good.substr(0, 28) + std::string(4, '\0')).kind == Kind::kMalformed);
}

}  // namespace
}  // namespace auralis::message_test
