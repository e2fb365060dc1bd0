// SPDX-License-Identifier: MIT
// A reception's steps, message by message. A whole one, against streamd, is probe_test.py's.
#include "tools/probe/reception.h"

#include "streamd/encode/frame.h"
#include "tests/unit/tools/load/scripted_server.h"
#include "tools/connection.h"
#include "tools/wire.h"

#include <doctest/doctest.h>

#include <future>

namespace auralis::reception_test {

using namespace test;

namespace {

constexpr std::int64_t kJoinedUs = 1'700'000'000'000'000;
const std::string kStatus =
    R"({"type":"status","station":"night","chunk_ms":100,"server_time":1700000000.0})";

std::string pcm(std::int64_t seq, std::int64_t due_us) {
  AudioChunk chunk;
  chunk.seq = seq;
  chunk.due_unix_us = due_us;
  chunk.sample_rate = 44'100;
  chunk.channels = 2;
  chunk.frames = 4'410;
  return pcm_header(chunk) + "samples";
}

struct Fixture {
  Receiver receiver{WireFormat::kPcm, 1};
  void text(const std::string& message) { receiver.take(kOpcodeText, message, 0, 0); }
  // A chunk that arrives `late_ms` after it is due; chunk 10 is the first that falls due after joining.
  void chunk(std::int64_t seq, std::int64_t late_ms = 0) {
    const std::int64_t since_us = (seq - 10) * 100'000;
    receiver.take(kOpcodeBinary, pcm(seq, kJoinedUs + since_us), (since_us + late_ms * 1'000) * 1'000, 7'000);
  }
  // The reception, which this message ended.
  std::string ended() {
    REQUIRE(receiver.done());
    return receiver.finish().ended;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "it lasts for the seconds asked for, beside what was due before") {
  text(kStatus);
  for (std::int64_t seq = 7; seq < 20; ++seq) {
    CHECK_FALSE(receiver.done());
    chunk(seq, seq == 15 ? 30 : 0);
  }
  REQUIRE(receiver.done());
  receiver.end("too late to matter");
  const Reception reception = receiver.finish();
  CHECK(reception.ended.empty());
  CHECK(reception.station == "night");
  CHECK(reception.chunks.size() == 13);
  CHECK(reception.chunks.front().head.seq == 7);
  CHECK(reception.chunks.front().audio == "samples");
  CHECK(reception.first_audio_ns == 7'000);
  CHECK(reception.lateness.count() == 10);
  CHECK(reception.lateness.max_us() == 30'000);
}

TEST_CASE_FIXTURE(Fixture, "later messages do not change the station") {
  text(kStatus);
  text(R"({"type":"status","station":"day"})");
  text(R"({"type":"warning","code":"skipped","seq":3})");
  CHECK_FALSE(receiver.done());
  receiver.end("the end");
  CHECK(receiver.finish().station == "night");
}

TEST_CASE_FIXTURE(Fixture, "the end of the connection is told with its code") {
  text(kStatus);
  chunk(10);
  receiver.take(kOpcodeClose,
                "\x03\xE9"
                "bye",
                0, 0);
  CHECK(ended() == "the server closed the connection: 1001, after 1 chunks");
}

TEST_CASE_FIXTURE(Fixture, "audio in another format ends it") {
  receiver = Receiver(WireFormat::kOpus, 1);
  text(kStatus);
  chunk(10);
  CHECK(ended().find("audio in another format") == 0);
}

TEST_CASE_FIXTURE(Fixture, "a chunk that comes twice, or after a later one, ends it") {
  text(kStatus);
  chunk(10);
  chunk(13);
  chunk(12);
  CHECK(ended() == "chunk 12 came again, or too late, after 2 chunks");
}

TEST_CASE_FIXTURE(Fixture, "a chunk of an impossible time ends it") {
  text(kStatus);
  receiver.take(kOpcodeBinary, pcm(10, -1), 0, 0);
  CHECK(ended().find("a chunk with an impossible time") == 0);
}

TEST_CASE_FIXTURE(Fixture, "audio before a status ends it") {
  chunk(10);
  CHECK(ended().find("audio before the first status") == 0);
}

TEST_CASE("garbage ends it") {
  for (const char* message : {"", "x", "[]", R"({"type":"status"})",
                              R"({"type":"status","station":"A B","chunk_ms":100,"server_time":1})",
                              R"({"type":"status","station":"a","chunk_ms":0,"server_time":1})",
                              R"({"type":"status","station":"a","chunk_ms":1e-9,"server_time":1})",
                              R"({"type":"status","station":"a","chunk_ms":100,"server_time":1e300})"}) {
    Fixture fixture;
    CAPTURE(message);
    fixture.text(message);
    CHECK_FALSE(fixture.ended().empty());
  }
  Fixture fixture;
  fixture.receiver.take(kOpcodeBinary, "AUR", 0, 0);
  CHECK(fixture.ended().find("a binary message that is no audio") == 0);
}

TEST_CASE("a refusal is an error with the server's sentence") {
  ScriptedServer server;
  ProbeOptions options;
  options.url = parse_stream_url("ws://127.0.0.1:" + server.port() + "/ws/stream");
  auto client = std::async(std::launch::async, [&] { return receive(options); });
  server.accept();
  const std::string request = server.read();
  CHECK(request.find("GET /ws/stream HTTP/1.1\r\n") == 0);
  CHECK(request.find("Sec-WebSocket-Protocol: auralis.pcm.v1\r\n") != std::string::npos);
  server.write("HTTP/1.1 404 Not Found\r\n\r\nNo such station.\n");
  CHECK_THROWS_WITH_AS(client.get(), doctest::Contains("HTTP 404: \"No such station.\""), ConnectionError);
}

}  // namespace auralis::reception_test
