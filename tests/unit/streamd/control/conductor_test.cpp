// SPDX-License-Identifier: MIT
// The conductor, through the proxies, with workers whose threads the test plays.
#include "streamd/control/conductor.h"

#include <doctest/doctest.h>

#include "tests/unit/streamd/control/support.h"

namespace auralis::conductor_test {
namespace {

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;
constexpr const char* kSleep = R"({"type": "select_preset", "preset": "sleep"})";

using Answers = std::vector<std::string>;
using test::http_request;

struct Fixture : test::ControlFixture {
  using ControlFixture::ControlFixture;

  // A listener of the default station that hears its first chunks.
  void listen(ConnectionId id, const std::vector<std::string>& offered = {"auralis.pcm.v1"}) {
    if (!synth) start_synth();
    REQUIRE(connect(id, {}, offered).status == 101);
    advance(3 * kChunkNs);
    REQUIRE(answers(id) == Answers{"status"});
  }
};

TEST_CASE_FIXTURE(Fixture, "a listener begins with the status and past chunks, once its station plays") {
  advance(kChunkNs);
  REQUIRE(connect(2).status == 101);
  REQUIRE(connect(3).status == 101);
  advance(5 * kChunkNs);
  CHECK(network(2).transport.sent[2].empty());
  start_synth();
  advance(10 * kChunkNs);
  for (const ConnectionId id : {2, 3}) {
    CHECK(answers(id).front() == "status");
    REQUIRE(chunks(id).size() > 8);
    // The status is the first of all; no chunk is missing after that.
    CHECK(payload_of(*network(id).transport.sent[id].front()).front() == '{');
    for (std::size_t i = 1; i < chunks(id).size(); ++i) CHECK(chunks(id)[i] == chunks(id)[i - 1] + 1);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "a listener that comes back begins with what it missed, a new one with the newest past") {
  start_synth();
  advance(20 * kChunkNs);
  REQUIRE(connect(2).status == 101);
  advance(3 * kChunkNs);
  const int last = chunks(2).back();
  worker(2).closed(2, ConnectionEnd::kReset);
  advance(4 * kChunkNs);
  REQUIRE(connect(4, "after=" + std::to_string(last)).status == 101);
  REQUIRE(connect(6, "after=0").status == 101);
  REQUIRE(connect(8, "after=1000").status == 101);  // of another timeline
  advance(2 * kChunkNs);
  CHECK(chunks(4).front() == last + 1);
  CHECK(chunks(6).front() < last + 1);
  CHECK(chunks(8).front() == chunks(6).front());
  // It may have chunks that are not due yet.
  worker(8).closed(8, ConnectionEnd::kReset);
  advance(kChunkNs);
  const int newest = chunks(4).back();
  REQUIRE(connect(10, "lead_ms=500&after=" + std::to_string(newest + 8)).status == 101);
  advance(8 * kChunkNs);
  CHECK(chunks(10).front() >= newest + 5);
  for (std::size_t i = 1; i < chunks(10).size(); ++i) CHECK(chunks(10)[i] == chunks(10)[i - 1] + 1);
}

TEST_CASE_FIXTURE(Fixture, "a listener that comes before the first turn begins with the past, too") {
  advance(kChunkNs);
  REQUIRE(connect(2).status == 101);
  start_synth();
  advance(4 * kChunkNs);
  REQUIRE(chunks(2).size() > 2);
  CHECK(chunks(2).front() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "a listener that a worker admitted before it knew of the stations hears the default one") {
  advance(kChunkNs);
  REQUIRE(connect(3).status == 101);  // still on its way to the conductor
  start_synth();
  clock.now += kChunkNs;
  conductor.step();
  advance(5 * kChunkNs);
  CHECK(answers(3) == Answers{"status"});
  CHECK(chunks(3).size() > 3);
}

TEST_CASE_FIXTURE(Fixture,
                  "a client for messages alone gets the status and changes the music, without a chunk") {
  listen(3, {"auralis.messages.v1"});
  advance(5 * kChunkNs);
  say(3, kSleep);
  run();
  CHECK(answers(3) == Answers{"status", "accepted"});
  CHECK(chunks(3).empty());
  // What it is alive by, since no chunk comes.
  advance(6 * kNsPerSecond);
  const Answers all = answers(3);
  CHECK(std::count(all.begin(), all.end(), "buffer_status") == 1);
}

TEST_CASE_FIXTURE(Fixture, "a connection for messages alone stays one, whatever it has offered") {
  listen(3, {"auralis.messages.v1", "auralis.pcm.v1"});
  say(3, R"({"type": "buffer_control", "format": "auralis.pcm.v1"})");
  advance(3 * kChunkNs);
  CHECK(answers(3) == Answers{"status", "not_offered"});
  CHECK(chunks(3).empty());
}

TEST_CASE_FIXTURE(Fixture, "what a listener asks for after a switch of format is answered after it") {
  encoding.held = true;
  listen(3, {"auralis.pcm.v1", "auralis.opus.v1"});
  say(3, R"({"type": "buffer_control", "format": "auralis.opus.v1"})");
  say(3, kSleep);
  say(3, R"({"type": "subscribe", "station": "default"})");
  say(3, R"({"type": "buffer_control", "format": "auralis.pcm.v1"})");
  run();
  CHECK(answers(3, 1) == Answers{});
  encoding.held = false;
  encoding.run_waiting(100);
  advance(kChunkNs);
  const Answers all = answers(3, 1);
  REQUIRE(all.size() >= 5);
  CHECK(all[0] == "buffer_status");
  CHECK(all[1] == "accepted");
  CHECK(std::find(all.begin() + 2, all.end(), "subscribed") != all.end());
  std::vector<std::string> formats;
  for (const auto& message : messages(3)) {
    if (message.at("type") == "buffer_status") formats.push_back(message.at("format"));
  }
  CHECK(formats == std::vector<std::string>{"auralis.opus.v1", "auralis.pcm.v1"});
}

TEST_CASE_FIXTURE(Fixture,
                  "a switch of format waits for an encoder that is late for so long, and no longer") {
  encoding.held = true;
  listen(3, {"auralis.pcm.v1", "auralis.opus.v1"});
  say(3, R"({"type": "buffer_control", "format": "auralis.opus.v1"})");
  advance(kNsPerSecond);
  CHECK(answers(3, 1) == Answers{});
  advance(kNsPerSecond + kChunkNs);
  CHECK(answers(3, 1).at(0) == "buffer_status");
}

TEST_CASE_FIXTURE(Fixture, "a change for a station that is still to come is made once it plays") {
  listen(2);
  say(2, R"({"type": "subscribe", "query": "station=new"})");
  say(2, kSleep);
  advance(kChunkNs);
  REQUIRE(requested(1)->action == ControlAction::kOpen);
  CHECK(answers(2, 1) == Answers{});
  open_requested(1);
  advance(5 * kChunkNs);
  const Answers all = answers(2, 1);
  REQUIRE(all.size() >= 3);
  CHECK(all[0] == "subscribed");
  CHECK(all[1] == "status");
  CHECK(all[2] == "accepted");
  CHECK(requested(1)->action == ControlAction::kChange);
  CHECK(requested(1)->history.changes[0].parameters == find_preset("sleep")->parameters);
  CHECK_FALSE(requested(0));
}

TEST_CASE_FIXTURE(Fixture,
                  "if a station does not come, its listener is told, and what it asked of it is refused") {
  listen(2);
  say(2, R"({"type": "subscribe", "query": "station=new"})");
  say(2, kSleep);
  REQUIRE(connect(3, "station=new").status == 101);
  advance(4 * kNsPerSecond);
  CHECK(answers(2, 1) == Answers{"no_place", "unavailable"});
  CHECK(messages(2).at(2).at("in_reply_to") == "select_preset");
  CHECK(value("auralis_control_messages_total", "refused") == 1);
  // It goes on hearing the former one; a listener that hears nothing yet is sent away.
  CHECK(close_code(2) == 0);
  CHECK(chunks(2).size() > 40);
  CHECK(close_code(3) == close_code::kTryAgainLater);
}

TEST_CASE("eight changes wait for a station that is still to come, and more are refused") {
  Fixture fixture([](Config& config) { config.streamd.changes_per_second = 10; });
  fixture.listen(2);
  fixture.say(2, R"({"type": "subscribe", "query": "station=new"})");
  for (int i = 0; i < 8; ++i) {
    fixture.say(2, kSleep);
    fixture.advance(2 * kChunkNs);
  }
  CHECK(fixture.answers(2, 1) == Answers{});
  fixture.say(2, kSleep);
  fixture.advance(kChunkNs);
  CHECK(fixture.answers(2, 1) == Answers{"unavailable"});
  CHECK(fixture.messages(2).at(1).at("message") ==
        "Too many changes wait for the station; try again when it plays.");
}

TEST_CASE_FIXTURE(
    Fixture, "a listener that asks for another station before the first one began gets the second alone") {
  listen(2);
  say(2, R"({"type": "subscribe", "query": "station=new"})");
  say(2, R"({"type": "subscribe", "station": "default"})");
  advance(kChunkNs);
  CHECK(answers(2, 1) == Answers{"unavailable", "subscribed", "status"});
}

TEST_CASE_FIXTURE(Fixture, "what still waits when its listener leaves is given back, and opens no station") {
  encoding.held = true;
  listen(3, {"auralis.pcm.v1", "auralis.opus.v1"});
  say(3, R"({"type": "buffer_control", "format": "auralis.opus.v1"})");
  say(3, R"({"type": "subscribe", "query": "station=new"})");
  run();
  CHECK(context.pending_personal == 1);
  worker(3).closed(3, ConnectionEnd::kClosed);
  run();
  CHECK(context.pending_personal == 0);
  CHECK(personal.taken() == 0);
  encoding.held = false;
  encoding.run_waiting(100);
  advance(3 * kNsPerSecond);
  CHECK_FALSE(requested(1));
}

TEST_CASE_FIXTURE(Fixture, "a station that has ended takes its listeners with it, and no others") {
  const StationId night = [&] {
    start_synth();
    return synth->open(1, named_state("night"));
  }();
  advance(kChunkNs);
  listen(2);
  REQUIRE(connect(3, "station=night").status == 101);
  advance(3 * kChunkNs);
  REQUIRE(chunks(3).size() > 1);
  synth->writer().close(night.index);
  advance(2 * kChunkNs);
  CHECK(close_code(3) == close_code::kStationGone);
  CHECK(close_code(2) == 0);
}

TEST_CASE_FIXTURE(Fixture, "the encoder of a personal station is free again once it is not heard in Opus") {
  start_synth();
  advance(kChunkNs);
  const std::vector<std::string> opus{"auralis.opus.v1"};
  REQUIRE(connect(2, "station=new", opus).status == 101);
  advance(kChunkNs);
  open_requested(1);
  advance(5 * kChunkNs);
  CHECK(chunks(2).size() > 3);
  CHECK(connect(3, "station=new", opus).status == 503);
  CHECK(connect(5, std::string("station=") + requested(1)->station).status == 101);
  worker(2).closed(2, ConnectionEnd::kClosed);
  advance(2 * kChunkNs);
  CHECK(connect(3, "station=new", opus).status == 101);
}

TEST_CASE_FIXTURE(Fixture, "a control request over HTTP is answered with a status for its outcome") {
  const auto control_of = [&](std::string_view station, std::string_view preset = "sleep") {
    const std::string body = R"({"type": "select_preset", "preset": ")" + std::string(preset) +
                             R"(", "station": ")" + std::string(station) + "\"}";
    return ask(3, http_request("POST", "/api/control", {}, body));
  };
  CHECK(control_of("default").status == 503);
  start_synth();
  synth->open(1, named_state("night"));
  advance(kChunkNs);
  const HttpResponse accepted = control_of("default");
  CHECK(accepted.status == 200);
  CHECK(nlohmann::json::parse(accepted.body).at("type") == "accepted");
  CHECK(control_of("night").status == 403);
  CHECK(control_of("day").status == 404);
  CHECK(control_of("default", "loud").status == 400);
  CHECK(value("auralis_control_messages_total", "accepted") == 1);
}

TEST_CASE_FIXTURE(Fixture, "a list of listeners is answered once all workers have reported") {
  listen(2);
  listen(3);
  to_conductor.answer_listeners({1, 9});
  networks[0].executor.run();  // the request
  networks[0].executor.run();  // the first worker's report
  networks[0].executor.run();
  CHECK(networks[1].responses.empty());
  run();
  const auto body = nlohmann::json::parse(networks[1].responses.at(9).body);
  REQUIRE(body.at("listeners").size() == 2);
  CHECK(body["listeners"][0].at("id") == 2);
  CHECK(body["listeners"][1].at("id") == 3);
  CHECK(body["listeners"][1].at("station") == "default");
}

TEST_CASE_FIXTURE(Fixture, "an operator closes one listener") {
  listen(2);
  listen(3);
  to_conductor.answer_close({0, 8}, 7);
  to_conductor.answer_close({0, 9}, 3);
  run();
  CHECK(networks[0].responses.at(8).status == 404);
  CHECK(networks[0].responses.at(9).status == 204);
  CHECK(close_code(3) == close_code::kOperator);
  CHECK(close_code(2) == 0);
}

TEST_CASE_FIXTURE(Fixture, "a worker's error follows the conductor's answers to earlier messages") {
  listen(3);
  say(3, kSleep);
  say(3, "nonsense");
  run();
  CHECK(answers(3, 1) == Answers{"accepted", "bad_json"});
}

TEST_CASE_FIXTURE(Fixture, "the time of the last step is known, for a thread that hangs") {
  const std::int64_t before_ns = conductor.last_step_ns();
  clock.now += kNsPerSecond;
  CHECK(conductor.last_step_ns() == before_ns);
  conductor.step();
  CHECK(conductor.last_step_ns() == clock.now);
}

TEST_CASE_FIXTURE(Fixture,
                  "listeners of all workers are counted by what they hear, from their first moment on") {
  const auto listeners = [this] {
    std::map<std::string, double> found;
    for (const MetricSample& sample : own[0].samples()) {
      if (sample.spec.name != "auralis_listeners") continue;
      const auto& labels = sample.spec.labels;
      found[labels.at(0).value + " " + labels.at(1).value] = sample.value;
    }
    return found;
  };
  using Counts = std::map<std::string, double>;
  REQUIRE(connect(2).status == 101);
  run();
  CHECK(listeners() == Counts{{"(none) pcm", 1}});  // no station is known yet
  start_synth();
  advance(kChunkNs);
  CHECK(listeners() == Counts{{"default pcm", 1}});
  REQUIRE(connect(3, "station=new", {"auralis.json.v1"}).status == 101);
  run();
  CHECK(listeners() == Counts{{"default pcm", 1}, {"personal json", 1}});
  say(2, R"({"type": "subscribe", "query": "station=new"})");
  advance(kChunkNs);
  open_requested(1);
  open_requested(2);
  advance(5 * kChunkNs);
  CHECK(listeners() == Counts{{"personal pcm", 1}, {"personal json", 1}});
  worker(3).closed(3, ConnectionEnd::kReset);
  run();
  CHECK(listeners() == Counts{{"personal pcm", 1}});
  CHECK(own[0].sample("websocket_active_connections").value == 1);
  CHECK(value("websocket_connections_total") == 2);
  CHECK(value("websocket_disconnections_total", "reset") == 1);
}

}  // namespace
}  // namespace auralis::conductor_test
