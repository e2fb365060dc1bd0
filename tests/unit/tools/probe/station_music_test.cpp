// SPDX-License-Identifier: MIT
#include "tools/probe/station_music.h"

#include "common/music/permalink.h"
#include "tests/unit/tools/load/scripted_server.h"
#include "tools/connection.h"

#include <doctest/doctest.h>

#include <future>

namespace auralis::station_music_test {

using namespace test;

namespace {

std::string body_of(const std::string& permalink, const std::string& time = "1700000012.345678") {
  return R"({"stations":[{"station":"night","permalink":")" + permalink + R"(","server_time":)" + time +
         "}]}";
}

const std::string kLink = "/?station=new&seed=42&rate=48000&chunk=20&at=625&changes=0-b90";

// The facts of a station whose chunk 50 is due from 1,000,000 us on.
StationFacts facts_at(std::int64_t server_time_us) {
  StationFacts facts;
  facts.history = begun_with(kPresets[0].parameters);
  facts.live_chunk = 50;
  facts.server_time_us = server_time_us;
  return facts;
}

}  // namespace

TEST_CASE("the permalink and the time of a status are what is needed to render its station") {
  const StationFacts facts = parse_station_facts(body_of(kLink));
  CHECK(facts.seed == 42);
  CHECK(facts.timeline.sample_rate == 48'000);
  CHECK(facts.timeline.chunk_frames == 960);
  CHECK(facts.history.changes[0].parameters.bpm == 90);
  CHECK(facts.live_chunk == 625);
  CHECK(facts.server_time_us == 1'700'000'012'345'678);
}

TEST_CASE("a status that is none of streamd's is an error") {
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string(R"({"stations":[]})"),
        std::string(R"({"stations":[{}]})"), body_of("/?station=new&seed=x"), body_of("/?seed=1"),
        body_of("/?seed=1&rate=8000&chunk=0&at=0"), body_of("/?seed=1&rate=48000&chunk=33&at=0"),
        body_of(kLink, "null"), body_of(kLink, "1e300")}) {
    CAPTURE(body);
    CHECK_THROWS_AS(parse_station_facts(body), ConnectionError);
  }
}

TEST_CASE("a chunk's own number follows from when it is due") {
  for (const std::int64_t now : {1'020'000, 1'099'000}) {
    const StationFacts facts = facts_at(now);
    CHECK(own_chunk(facts, 1'000'000) == 50);
    CHECK(own_chunk(facts, 900'000) == 49);
    CHECK(own_chunk(facts, 1'100'000) == 51);
    CHECK(own_chunk(facts, -4'000'000) == 0);
  }
}

TEST_CASE("a reading near the beginning of a chunk is ambiguous") {
  CHECK(is_ambiguous(facts_at(1'000'001), 1'000'000));
  CHECK(is_ambiguous(facts_at(999'999), 900'000));
  CHECK(is_ambiguous(facts_at(999'999), 1'500'000));
  CHECK_FALSE(is_ambiguous(facts_at(1'050'000), 1'000'000));
  CHECK_FALSE(is_ambiguous(facts_at(1'050'000), 1'500'000));
}

TEST_CASE("rendered chunks are those of the station, wherever they begin") {
  const StationFacts facts = facts_at(0);
  const auto whole = render_chunks(facts, 0, 60);
  CHECK(whole.size() == 60U * 8'820);
  const auto part = render_chunks(facts, 40, 20);
  CHECK(std::vector<std::int16_t>(whole.begin() + 40 * 8'820, whole.end()) == part);
}

TEST_CASE("a station is asked for beside the stream's path") {
  ScriptedServer server;
  const StreamUrl url = parse_stream_url("ws://127.0.0.1:" + server.port() + "/music/ws/stream?ticket=x");
  auto client = std::async(std::launch::async, [&] { return fetch_station_facts(url, "night"); });
  server.accept();
  CHECK(server.read().find("GET /music/api/status?station=night HTTP/1.0\r\n") == 0);
  server.write("HTTP/1.1 200 OK\r\n\r\n" + body_of(kLink));
  server.hang_up();
  CHECK(client.get().live_chunk == 625);
}

}  // namespace auralis::station_music_test
