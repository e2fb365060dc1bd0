// SPDX-License-Identifier: MIT
// Of a server that the test plays. Music of the real one is probe_test.py's.
#include "tools/probe/check.h"

#include "streamd/encode/frame.h"
#include "tests/unit/tools/load/scripted_server.h"
#include "tools/connection.h"
#include "tools/probe/station_music.h"

#include <doctest/doctest.h>

#include <future>

namespace auralis::check_test {

using namespace test;

namespace {

constexpr std::int64_t kDueUs = 1'700'000'000'000'000;

// Two chunks from the station's own number 60 on, in PCM.
Reception two_chunks() {
  StationFacts facts;
  facts.seed = 7;
  facts.history = begun_with(kPresets[0].parameters);
  const auto samples = render_chunks(facts, 60, 2);
  Reception reception;
  reception.station = "night";
  for (std::int64_t i = 0; i < 2; ++i) {
    AudioChunk chunk;
    chunk.seq = 1'000 + i;
    chunk.due_unix_us = kDueUs + i * 100'000;
    chunk.sample_rate = 44'100;
    chunk.channels = 2;
    chunk.frames = 4'410;
    const Samples part = Samples::copy_of(
        std::vector<std::int16_t>(samples.begin() + i * 8'820, samples.begin() + (i + 1) * 8'820));
    reception.chunks.push_back({read_binary_message(pcm_header(chunk)), std::string(part.bytes())});
  }
  return reception;
}

// The verdict on `reception` where the server answers that the station's chunk 60 + `later` is due at `time`,
// a response for each request.
Verdict checked(const Reception& reception, const std::vector<std::pair<int, std::string>>& answers) {
  ScriptedServer server;
  ProbeOptions options;
  options.url = parse_stream_url("ws://127.0.0.1:" + server.port() + "/ws/stream");
  auto client = std::async(std::launch::async, [&] { return check(options, reception); });
  for (const auto& [later, time] : answers) {
    server.accept();
    server.read();
    server.write("HTTP/1.1 200 OK\r\n\r\n{\"stations\":[{\"permalink\":\"/?seed=7&rate=44100&chunk=100&at=" +
                 std::to_string(60 + later) + "\",\"server_time\":" + time + "}]}");
    server.hang_up();
  }
  return client.get();
}

}  // namespace

TEST_CASE("what was received is compared with what the server says it plays") {
  Reception reception = two_chunks();
  CHECK(checked(reception, {{5, "1700000000.55"}}).exact);
  CHECK_FALSE(checked(reception, {{6, "1700000000.55"}}).exact);
  reception.chunks[1].audio[100] ^= 1;
  CHECK(checked(reception, {{5, "1700000000.55"}}).reason.find("chunk 1001, frame 25, left: expected") == 0);
}

TEST_CASE("an ambiguous answer is asked for again") {
  CHECK(checked(two_chunks(), {{6, "1700000000.599999"}, {5, "1700000000.500001"}, {5, "1700000000.55"}})
            .exact);
}

TEST_CASE("a server that does not tell its music is an error, unless something is wrong already") {
  Reception reception = two_chunks();
  CHECK_THROWS_WITH_AS(checked(reception, {{5, "null"}}), doctest::Contains("/api/status"), ConnectionError);
  CHECK_THROWS_WITH_AS(checked(reception, {{5, "1800000000.55"}}), doctest::Contains("on time"),
                       ConnectionError);
  reception.chunks[1].head.silence = true;
  CHECK(checked(reception, {{5, "null"}}).reason == "underrun: chunk 1001 is silence in place of music");
}

TEST_CASE("where nothing was received, the server is not asked") {
  Reception reception;
  reception.ended = "no chunk for 5 s, after 0 chunks";
  CHECK(checked(reception, {}).reason == reception.ended);
}

}  // namespace auralis::check_test
