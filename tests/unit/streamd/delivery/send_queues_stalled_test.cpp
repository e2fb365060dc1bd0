// SPDX-License-Identifier: MIT
// Listeners that take too little, or give no sign of life; and a process that was itself stopped.
#include "streamd/delivery/send_queues.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "tests/unit/streamd/delivery/send_queues_fixture.h"

namespace auralis::send_queues_stalled_test {
namespace {

using Fixture = test::SendQueuesFixture;

TEST_CASE_FIXTURE(
    Fixture,
    "a stalled listener loses its oldest chunks by age, is warned of each, and holds bounded memory") {
  add(1);
  for (std::int64_t seq = 0; seq < 60; ++seq) {
    deliver(audio(seq));
    clock.now += kChunkNs;
    check_books();
  }
  CHECK(value("auralis_chunks_queued") == 22);  // two seconds of them, the newest, and the one in flight
  CHECK(value("websocket_chunks_dropped_total", "backlog") == 38);
  take_all();
  std::vector<std::int64_t> skipped;
  for (const auto& text : texts(1)) {
    if (text["type"] == "warning") skipped.push_back(text["seq"]);
  }
  CHECK(skipped.size() == 38);
  CHECK(skipped.front() == 1);
  CHECK(value("auralis_chunks_queued") == 0);
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "a stalled listener loses its oldest chunks by bytes, too") {
  add(1);
  for (std::int64_t seq = 0; seq < 20; ++seq) {
    deliver(audio(seq, false, 100'000));
    CHECK(listeners.at(1).status().queued_bytes < 1'010'000);
    check_books();
  }
  CHECK(value("websocket_chunks_dropped_total", "backlog") == 11);
}

TEST_CASE_FIXTURE(Fixture, "a listener may ask for a shorter queue, and not for a longer one") {
  add(1);
  queues.set_max_backlog(listeners.at(1), 300 * kNsPerMs);
  for (std::int64_t seq = 0; seq < 10; ++seq, clock.now += kChunkNs) deliver(audio(seq));
  CHECK(listeners.at(1).status().queued == 5);
  queues.set_max_backlog(listeners.at(1), 100 * kNsPerSecond);
  CHECK(listeners.at(1).status().max_backlog_ms == 2'000);
  queues.flush(listeners.at(1));
  CHECK(listeners.at(1).status().queued == 1);  // in flight
  CHECK(listeners.at(1).status().dropped == 9);
  check_books();
}

TEST_CASE_FIXTURE(
    Fixture,
    "a listener that offered Opus beside PCM is stepped down once, warned, and skipped from then on") {
  add(1, kGarden, WireFormat::kPcm, true);
  add(2, kGarden, WireFormat::kJson, true);
  for (std::int64_t seq = 0; seq < 40; ++seq, clock.now += kChunkNs) deliver(audio(seq));
  CHECK(stepped_down == std::vector<ConnectionId>{1});
  queues.set_format(listeners.at(1), WireFormat::kOpus, true);
  CHECK(value("auralis_listeners_stepped_down_total") == 1);
  take_all();
  const auto told = texts(1);
  CHECK(
      std::any_of(told.begin(), told.end(), [](const auto& text) { return text["code"] == "stepped_down"; }));
  CHECK(listeners.at(1).status().format == WireFormat::kOpus);
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "a listener that switches to PCM later, or again, is stepped down from it, too") {
  add(1, kGarden, WireFormat::kPcm, true);
  add(2, kGarden, WireFormat::kJson, true);
  std::int64_t seq = 0;
  const auto stall = [&] {
    for (const std::int64_t end = seq + 30; seq < end; ++seq, clock.now += kChunkNs) deliver(audio(seq));
  };
  stall();
  queues.set_format(listeners.at(1), WireFormat::kOpus, true);
  take_all();
  for (const ConnectionId id : {1, 2}) queues.set_format(listeners.at(id), WireFormat::kPcm, false);
  stall();
  CHECK(stepped_down == std::vector<ConnectionId>{1, 1, 2});
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "a stalled listener leaves the others untouched") {
  add(1);
  add(2);
  for (std::int64_t seq = 0; seq < 60; ++seq) {
    deliver(audio(seq));
    while (listeners.at(2).status().queued > 0) queues.written(listeners.at(2));
    clock.now += kChunkNs;
  }
  CHECK(transport.sent[1].size() == 1);
  CHECK(listeners.at(2).status().sent == 60);
  CHECK(listeners.at(2).status().dropped == 0);
}

TEST_CASE_FIXTURE(Fixture, "a listener that takes nothing for ten seconds is closed with 4008") {
  add(1);
  deliver(audio(1));
  clock.now += 10 * kNsPerSecond - 1;
  queues.check_timeouts();
  CHECK(transport.closed.empty());
  clock.now += 1;
  queues.check_timeouts();
  CHECK(transport.closed.at(1) == 4008);
  const auto sent = transport.sent[1].size();
  deliver(audio(2));
  CHECK(transport.sent[1].size() == sent);
}

TEST_CASE_FIXTURE(Fixture, "a listener that takes a little now and then is slow, not gone") {
  add(1);
  deliver(audio(1));
  for (int i = 0; i < 5; ++i) {
    clock.now += 9 * kNsPerSecond;
    queues.alive(listeners.at(1), std::nullopt);
    queues.progressed(listeners.at(1));
    queues.check_timeouts();
  }
  CHECK(transport.closed.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "a listener without a sign of life for a minute is closed with 4009, after pings") {
  add(1);
  add(2);
  for (int second = 0; second < 60; ++second) {
    CHECK(transport.closed.empty());
    clock.now += kNsPerSecond;
    queues.alive(listeners.at(2), 30 * kNsPerMs);
    queues.check_timeouts();
  }
  CHECK(transport.closed == std::map<ConnectionId, std::uint16_t>{{1, 4009}});
  CHECK(std::count(transport.pinged.begin(), transport.pinged.end(), 1) == 3);
  CHECK(listeners.at(2).status().rtt_ms == 30.0);
  CHECK_FALSE(listeners.at(1).status().rtt_ms.has_value());
}

TEST_CASE_FIXTURE(Fixture, "messages to a listener that does not read them are bounded") {
  add(1);
  const auto pong = make_text_message("{}");
  for (int i = 0; i < 1'000; ++i) queues.send_text(listeners.at(1), pong);
  take_all();
  CHECK(transport.sent[1].size() == SendQueues::kMaxTexts + 1);
}

// A process that is stopped now and then.
struct StoppedFixture : Fixture {
  StoppedFixture() : Fixture(500 * kNsPerMs) {}

  // Runs, and checks timeouts.
  void run(std::int64_t seconds) {
    for (std::int64_t tenth = 1; tenth <= 10 * seconds; ++tenth) {
      clock.now += kNsPerSecond / 10;
      process_time.step();
      if (tenth % 10 == 0) queues.check_timeouts();
    }
  }
  // Stops the process, which checks timeouts as soon as it continues.
  void stop(std::int64_t seconds) {
    clock.now += seconds * kNsPerSecond;
    queues.check_timeouts();
    process_time.step();
    queues.check_timeouts();
  }
};

TEST_CASE_FIXTURE(StoppedFixture, "no sign of life is expected of a listener while the process is stopped") {
  add(1);
  add(2);
  transport.answer = SendResult::kTaken;
  for (int round = 0; round < 3; ++round) {
    run(14);
    for (const ConnectionId id : {1, 2}) queues.alive(listeners.at(id), std::nullopt);
    stop(65);
    CHECK(transport.closed.empty());
  }
  const auto pings = std::count(transport.pinged.begin(), transport.pinged.end(), 1);
  for (int second = 0; second < 60; ++second) {
    CHECK(transport.closed.empty());
    run(1);
    queues.alive(listeners.at(2), std::nullopt);
  }
  CHECK(std::count(transport.pinged.begin(), transport.pinged.end(), 1) >= pings + 3);
  CHECK(transport.closed == std::map<ConnectionId, std::uint16_t>{{1, 4009}});
}

TEST_CASE_FIXTURE(StoppedFixture, "chunks that wait grow no older while the process is stopped") {
  add(1, kGarden, WireFormat::kPcm, true);
  deliver(audio(1));
  deliver(audio(2));
  stop(65);
  CHECK(transport.closed.empty());
  CHECK(stepped_down.empty());
  CHECK(listeners.at(1).status().dropped == 0);
  CHECK(listeners.at(1).status().backlog_ms == 500);
  run(9);
  CHECK(transport.closed.empty());
  run(1);
  CHECK(transport.closed.at(1) == 4008);
}

TEST_CASE_FIXTURE(StoppedFixture,
                  "reports that piled up while the process was stopped are no flood: all gaps, one latency") {
  add(1);
  const PlaybackReport report{100, 80, 0, 3, 0};
  CHECK(queues.report_playback(listeners.at(1), report));
  stop(10);
  int taken = 0;
  for (int i = 0; i < 30; ++i) taken += queues.report_playback(listeners.at(1), report) ? 1 : 0;
  CHECK(taken == 10);
  CHECK(own.sample("audio_end_to_end_latency_ms").count() == 2);
  CHECK(own.sample("auralis_player_gaps_total").value == 3 * 11);
}

}  // namespace
}  // namespace auralis::send_queues_stalled_test
