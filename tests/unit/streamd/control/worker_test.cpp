// SPDX-License-Identifier: MIT
// A worker, with a network and a clock that the test plays, beside the real conductor.
#include "streamd/control/worker.h"

#include <doctest/doctest.h>

#include "tests/unit/streamd/control/support.h"

namespace auralis::worker_test {
namespace {

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;
constexpr const char* kPing = R"({"type": "ping", "client_time": 1})";
constexpr const char* kSleep = R"({"type": "select_preset", "preset": "sleep"})";

using Answers = std::vector<std::string>;
using test::http_request;

struct Fixture : test::ControlFixture {
  using ControlFixture::ControlFixture;

  double rejected(const std::string& reason) const {
    return value("websocket_connections_rejected_total", reason);
  }
  void play() {
    start_synth();
    advance(kChunkNs);
  }
  std::size_t count(ConnectionId id, const std::string& answer) {
    const Answers all = answers(id);
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), answer));
  }
};

struct OperatorsOnly : Fixture {
  OperatorsOnly() : Fixture([](Config& changed) { changed.streamd.control_by = ControlBy::kOperators; }) {}
};

TEST_CASE_FIXTURE(Fixture, "a handshake that cannot be served is refused, and counted by its reason") {
  play();
  HttpRequest request = http_request("GET", "/ws/other");
  request.websocket_version = "13";
  CHECK(worker(2).admit(2, request, {}).status == 404);
  CHECK(rejected("path") == 1);

  request.path = "/ws/stream";
  request.websocket_version = "8";
  const Admission draft = worker(2).admit(2, request, {});
  CHECK(draft.status == 400);
  CHECK(draft.header == "Sec-WebSocket-Version");
  CHECK(draft.value == "13");
  CHECK(connect(2, {}, {"mqtt"}).status == 400);
  CHECK(rejected("protocol") == 2);

  CHECK(connect(2, "station=day").status == 404);
  CHECK(connect(2, "station=new&seed=x").status == 400);
  CHECK(rejected("station") == 2);

  request.websocket_version = "13";
  request.origin = "https://elsewhere.example";
  request.host = "radio.example";
  CHECK(worker(2).admit(2, request, {}).status == 403);
  CHECK(rejected("origin") == 1);

  context.stopping = true;
  const Admission stopping = connect(2);
  CHECK(stopping.status == 503);
  CHECK(stopping.header == "Retry-After");
  CHECK(limiter.taken() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a client speaks the first subprotocol of its list that is known") {
  play();
  CHECK(connect(2, {}, {"mqtt", "auralis.opus.v1", "auralis.pcm.v1"}).subprotocol == "auralis.opus.v1");
  CHECK(connect(3, {}, {}).subprotocol.empty());
  advance(3 * kChunkNs);
  CHECK(messages(3).front().at("protocol") == "auralis.json.v1");
}

TEST_CASE_FIXTURE(Fixture, "connections are limited in total and by address, until one is closed") {
  play();
  for (const ConnectionId id : {2, 3, 4}) REQUIRE(connect(id).status == 101);
  CHECK(connect(5).status == 429);
  CHECK(rejected("address") == 1);
  const auto elsewhere = limiter.acquire(parse_ip_address("192.0.2.8").value());
  const Admission full = connect(5);
  CHECK(full.status == 503);
  CHECK(full.header == "Retry-After");
  CHECK(rejected("limit") == 1);
  worker(3).closed(3, ConnectionEnd::kClosed);
  CHECK(connect(5).status == 101);
}

TEST_CASE_FIXTURE(Fixture, "a handshake that is never completed gives back what it reserved") {
  play();
  HttpRequest request = http_request("GET", "/ws/stream", "station=new");
  request.websocket_version = "13";
  REQUIRE(worker(2).admit(2, request, {"auralis.opus.v1"}).status == 101);
  CHECK(context.pending_personal == 1);
  CHECK(encoders.free() == 0);
  worker(2).closed(2, ConnectionEnd::kClosed);
  run();
  CHECK(context.pending_personal == 0);
  CHECK(encoders.free() == 1);
  CHECK(personal.taken() == 0);
  CHECK(limiter.taken() == 0);
}

TEST_CASE_FIXTURE(Fixture, "events and orders for a connection that is not open yet, or gone, do nothing") {
  play();
  HttpRequest request = http_request("GET", "/ws/stream");
  request.websocket_version = "13";
  REQUIRE(worker(2).admit(2, request, {"auralis.pcm.v1"}).status == 101);
  const auto knock = [&](ConnectionId id) {
    worker(id).text(id, kPing);
    worker(id).alive(id, std::nullopt);
    worker(id).progressed(id);
    worker(id).written(id);
    worker(id).write_failed(id);
    worker(id).begin(id, {{}, 0, {make_text_message("{}")}});
    worker(id).switch_station(id, {}, make_text_message("{}"));
    worker(id).set_format(id, WireFormat::kOpus, true);
    worker(id).send_buffer_status(id);
    worker(id).close(id, close_code::kOperator, "closed");
    run();
    CHECK(network(id).transport.sent[id].empty());
    CHECK(network(id).transport.closed.empty());
  };
  knock(2);
  CHECK(worker(2).empty());
  worker(2).closed(2, ConnectionEnd::kClosed);
  knock(2);
  CHECK(value("auralis_listeners_stepped_down_total") == 0);
  CHECK(value("websocket_connections_total") == 0);
  CHECK(value("websocket_disconnections_total", "client") == 0);
}

TEST_CASE_FIXTURE(Fixture, "no more personal stations are promised than there is capacity for") {
  play();
  // Two are left beside the default station.
  REQUIRE(connect(2, "station=new").status == 101);
  REQUIRE(connect(3, "station=new").status == 101);
  CHECK(connect(4, "station=new").status == 503);
  CHECK(rejected("places") == 1);
  advance(kChunkNs);
  CHECK(context.pending_personal == 0);
  CHECK(connect(4, "station=new").status == 503);
}

TEST_CASE_FIXTURE(Fixture,
                  "messages beyond the rate are refused, and a flood of them closes the connection") {
  play();
  REQUIRE(connect(2).status == 101);
  for (int i = 0; i < 21; ++i) say(2, kPing);
  run();
  CHECK(count(2, "pong") == 20);
  CHECK(count(2, "rate_limited") == 1);
  clock.now += kNsPerSecond;
  for (int i = 0; i < 10; ++i) say(2, kPing);
  run();
  CHECK(count(2, "pong") == 30);
  CHECK(close_code(2) == 0);
  for (int i = 0; i < 120; ++i) say(2, kPing);
  CHECK(close_code(2) == close_code::kPolicyViolation);
}

TEST_CASE_FIXTURE(Fixture, "messages that piled up while the process did not run are no flood") {
  play();
  REQUIRE(connect(2).status == 101);
  for (int i = 0; i < 20; ++i) say(2, kPing);
  clock.now += 11 * kNsPerSecond;  // of which a second counts: the longest step of a process that runs
  network(2).process.step();
  for (int i = 0; i < 100; ++i) say(2, kPing);
  run();
  CHECK(count(2, "pong") == 120);
  CHECK(count(2, "rate_limited") == 0);
}

TEST_CASE_FIXTURE(Fixture, "changes have a rate limit of their own") {
  play();
  REQUIRE(connect(2).status == 101);
  advance(3 * kChunkNs);
  for (int i = 0; i < 6; ++i) say(2, kSleep);
  run();
  CHECK(count(2, "accepted") == 5);
  CHECK(count(2, "rate_limited") == 1);
  say(2, kPing);
  CHECK(count(2, "pong") == 1);
}

TEST_CASE_FIXTURE(OperatorsOnly, "listeners change nothing where operators alone may") {
  play();
  REQUIRE(connect(2).status == 101);
  advance(3 * kChunkNs);
  say(2, kSleep);
  run();
  CHECK(answers(2, 1) == Answers{"not_allowed"});
  CHECK_FALSE(requested(0));
}

TEST_CASE_FIXTURE(Fixture, "a message that is no text, or no JSON, is refused") {
  play();
  REQUIRE(connect(2).status == 101);
  advance(3 * kChunkNs);
  worker(2).binary(2);
  say(2, "{");
  run();
  CHECK(answers(2, 1) == Answers{"not_text", "bad_json"});
}

TEST_CASE_FIXTURE(Fixture, "a listener switches only to a format that it offered") {
  play();
  REQUIRE(connect(2).status == 101);
  advance(3 * kChunkNs);
  say(2, R"({"type": "buffer_control", "format": "auralis.opus.v1"})");
  run();
  CHECK(answers(2, 1) == Answers{"not_offered"});
}

TEST_CASE_FIXTURE(Fixture, "a drain warns all listeners, and closes them evenly until its end") {
  play();
  for (const ConnectionId id : {2, 4}) REQUIRE(connect(id).status == 101);
  advance(3 * kChunkNs);
  const std::int64_t until_ns = clock.now + 4 * kNsPerSecond;
  proxies[0].begin_drain(until_ns);
  run();
  CHECK(count(2, "shutdown_warning") == 1);
  CHECK(count(4, "shutdown_warning") == 1);
  const auto closed_by = [&](std::int64_t at_ns) {
    clock.now = at_ns;
    auto gone = proxies[0].close_due_listeners();
    run();
    CHECK_FALSE(gone.get());  // their connections are still closing
    return networks[0].transport.closed.size();
  };
  CHECK(closed_by(until_ns - 2 * kNsPerSecond - 1) == 0);
  CHECK(closed_by(until_ns - 2 * kNsPerSecond) == 1);
  CHECK(closed_by(until_ns - 1) == 1);
  CHECK(closed_by(until_ns) == 2);
  CHECK(close_code(2) == close_code::kGoingAway);

  // A handshake that was admitted before the drain began.
  REQUIRE(connect(6).status == 101);
  CHECK(close_code(6) == close_code::kGoingAway);
  for (const ConnectionId id : {2, 4, 6}) worker(id).closed(id, ConnectionEnd::kClosed);
  auto gone = proxies[0].close_due_listeners();
  run();
  CHECK(gone.get());
}

TEST_CASE_FIXTURE(Fixture, "it is ready while its stations play, and the server does not stop") {
  const auto ready = [&] { return ask(3, http_request("GET", "/readyz")); };
  advance(kChunkNs);
  CHECK(ready().status == 503);
  CHECK(ready().body.rfind("no audio yet", 0) == 0);
  start_synth();
  advance(5 * kChunkNs);
  CHECK(ready().status == 200);
  context.stopping = true;
  CHECK(ready().status == 503);
}

TEST_CASE_FIXTURE(Fixture, "it is ready once every worker knows the stations") {
  const auto ready = [&](ConnectionId id) { return ask(id, http_request("GET", "/readyz")).status; };
  CHECK(ready(2) == 503);
  start_synth();
  advance(5 * kChunkNs);
  CHECK(ready(2) == 200);
  worker(3).set_directory(std::make_shared<StationDirectory>());
  CHECK(ready(2) == 503);
  CHECK(ready(3) == 503);
}

TEST_CASE_FIXTURE(Fixture, "a playlist names the stream under the host that was asked, with its query") {
  play();
  HttpRequest request = http_request("GET", "/listen/default.m3u", "ticket=t");
  CHECK(ask(2, request).body.find("\ndefault.opus?ticket=t\n") != std::string::npos);
  request.host = "radio.example";
  CHECK(ask(2, request).body.find("\nhttp://radio.example/listen/default.opus?ticket=t\n") !=
        std::string::npos);
  request.path = "/listen/day.m3u";
  CHECK(ask(2, request).status == 404);
}

TEST_CASE_FIXTURE(Fixture, "a stream over plain HTTP is a session, but its HEAD is none") {
  play();
  HttpRequest request = http_request("HEAD", "/listen/default.wav");
  CHECK(ask(2, request).status == 200);
  CHECK(limiter.taken() == 0);
  request.method = "GET";
  const HttpResponse response = ask(2, request);
  CHECK(response.stream);
  CHECK(response.content_type == "audio/wav");
  CHECK(limiter.taken() == 1);
}

TEST_CASE_FIXTURE(Fixture, "lists of listeners and closing them are for operators") {
  play();
  CHECK(ask(3, http_request("GET", "/api/listeners")).status == 403);
  CHECK(ask(3, http_request("POST", "/api/listeners/2/close")).status == 403);
}

}  // namespace
}  // namespace auralis::worker_test
