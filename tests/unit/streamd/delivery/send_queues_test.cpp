// SPDX-License-Identifier: MIT
#include "streamd/delivery/send_queues.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/streamd/delivery/owned_listeners.h"
#include "tests/unit/streamd/support.h"

namespace auralis::send_queues_test {
namespace {

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;
constexpr StationId kGarden{0, 1};
constexpr StationId kHarbour{1, 1};

AudioMessagePtr audio(std::int64_t seq, bool silence = false, std::size_t bytes = 1'000) {
  return std::make_shared<AudioMessage>(
      AudioMessage{make_binary_message(std::string(bytes, 'a')), seq, kChunkNs, silence});
}

// A chunk in all formats.
StationAudio of(const StationId& station, const AudioMessagePtr& message) {
  StationAudio audio{station, {}};
  audio.formats.fill(message);
  return audio;
}

struct Fixture {
  // By default no time counts as an absence.
  explicit Fixture(std::int64_t max_step_ns = 3'600 * kNsPerSecond) : process_time(clock, max_step_ns) {}

  test::ManualClock clock;
  test::OwnMetrics own;
  test::RecordingTransport transport;
  std::vector<ConnectionId> stepped_down;
  ProcessTime process_time;
  test::OwnedListeners listeners;
  SendQueues queues{clock,
                    process_time,
                    own.metrics,
                    transport,
                    {2 * kNsPerSecond, 1'000'000},
                    60 * kNsPerSecond,
                    [this](ConnectionId id) { stepped_down.push_back(id); }};

  // Adds a listener and starts its delivery.
  void add(ConnectionId id, const StationId& station = kGarden, WireFormat format = WireFormat::kPcm,
           bool offered_opus = false) {
    listeners.add(queues, id, transport.sink(id), format, offered_opus);
    queues.begin(listeners.at(id), {station, 0, {}, {}});
  }
  // Delivers a chunk to the listeners of the garden.
  void deliver(const AudioMessagePtr& message, std::int64_t due_ns = 1) {
    queues.deliver({0, due_ns, {of(kGarden, message)}});
  }
  void take_all() { listeners.take_all(queues, transport); }
  // The JSON messages that a listener was sent.
  std::vector<nlohmann::json> texts(ConnectionId id) {
    std::vector<nlohmann::json> result;
    for (const auto& message : transport.sent[id]) {
      const auto payload = payload_of(*message);
      if (payload.substr(0, 1) == "{") result.push_back(nlohmann::json::parse(payload));
    }
    return result;
  }
  double value(const std::string& name, const std::string& label = {}) const {
    return own.sample(name, label).value;
  }
  double dropped() const {
    return value("websocket_chunks_dropped_total", "backlog") +
           value("websocket_chunks_dropped_total", "disconnect") +
           value("websocket_chunks_dropped_total", "error");
  }
  // The identity of the books, in total and for the listeners together.
  void check_books() const {
    CHECK(value("auralis_chunks_offered_total") ==
          value("websocket_chunks_sent_total") + dropped() + value("auralis_chunks_queued"));
    std::size_t queued = 0;
    for (const SendQueues::Listener* const one : queues.listeners()) queued += one->status().queued;
    CHECK(static_cast<double>(queued) == value("auralis_chunks_queued"));
  }
};

TEST_CASE_FIXTURE(Fixture, "a message is shared by all listeners of a format, and each gets its own format") {
  add(1);
  add(2);
  add(3, kGarden, WireFormat::kJson);
  StationAudio chunk{kGarden, {}};
  chunk.formats[static_cast<std::size_t>(WireFormat::kPcm)] = audio(5);
  chunk.formats[static_cast<std::size_t>(WireFormat::kJson)] = audio(5);
  queues.deliver({0, 1, {chunk}});
  CHECK(transport.sent[1].front() == transport.sent[2].front());
  CHECK(transport.sent[1].front() != transport.sent[3].front());
}

TEST_CASE_FIXTURE(Fixture, "a listener hears its own phase and its own station alone, and moves with it") {
  add(1);
  add(2, kHarbour);
  listeners.add(queues, 3, transport.sink(3), WireFormat::kPcm, false);
  queues.begin(listeners.at(3), {kGarden, 7, {}, {}});
  deliver(audio(1));
  CHECK(transport.sent[1].size() == 1);
  CHECK(transport.sent[2].empty());
  CHECK(transport.sent[3].empty());
  queues.deliver({7, 1, {of(kGarden, audio(1))}});
  CHECK(transport.sent[3].size() == 1);
  queues.send_text(kHarbour, make_text_message("{}"));
  CHECK(transport.sent[2].size() == 1);
  take_all();
  queues.move(kHarbour, kGarden);
  deliver(audio(2));
  CHECK(transport.sent[2].size() == 2);
  take_all();
  queues.switch_station(listeners.at(1), kHarbour);
  deliver(audio(3));
  CHECK(transport.sent[1].size() == 2);
  queues.close_all_of(kGarden, close_code::kStationGone, "gone");
  CHECK(transport.closed == std::map<ConnectionId, std::uint16_t>{{2, 4004}, {3, 4004}});
}

TEST_CASE_FIXTURE(Fixture, "one message is in flight at a time, and the next follows when it was taken") {
  add(1);
  deliver(audio(1));
  deliver(audio(2));
  CHECK(transport.sent[1].size() == 1);
  CHECK(value("auralis_chunks_queued") == 2);
  queues.written(listeners.at(1));
  CHECK(transport.sent[1].size() == 2);
  CHECK(value("websocket_chunks_sent_total") == 1);
  CHECK(value("network_bytes_sent_total") == static_cast<double>(transport.sent[1][0]->bytes.size()));
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "what the kernel takes at once is sent at once, whatever waited") {
  add(1);
  deliver(audio(1));
  for (std::int64_t seq = 2; seq < 6; ++seq) deliver(audio(seq));
  transport.answer = SendResult::kTaken;
  queues.written(listeners.at(1));
  CHECK(value("websocket_chunks_sent_total") == 5);
  CHECK(listeners.at(1).status().queued_bytes == 0);
  check_books();
}

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

TEST_CASE_FIXTURE(Fixture, "what was queued to a listener that leaves is booked as dropped") {
  add(1);
  deliver(audio(1));
  deliver(audio(2));
  clock.now += 3 * kNsPerSecond;
  listeners.remove(queues, 1);
  CHECK(value("websocket_chunks_dropped_total", "disconnect") == 2);
  CHECK(value("websocket_disconnections_total") == 1);
  CHECK(value("websocket_active_connections") == 0);
  CHECK(own.sample("websocket_connection_duration_seconds").sum == 3.0);
  check_books();
  deliver(audio(3));
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "what a killed streamd left queued is dropped by the next one") {
  add(1);
  deliver(audio(1));
  deliver(audio(2));
  queues.written(listeners.at(1));
  const SendQueues next(clock, process_time, own.metrics, transport, {}, 1, nullptr);
  CHECK(value("websocket_chunks_dropped_total", "disconnect") == 1);
  CHECK(value("websocket_disconnections_total") == 1);
  CHECK(value("auralis_chunks_queued") == 0);
}

TEST_CASE_FIXTURE(Fixture, "a failed transmission is an error, counted once, at once or later") {
  add(1);
  add(2);
  deliver(audio(1));
  queues.write_failed(listeners.at(1));
  transport.answer = SendResult::kFailed;
  queues.written(listeners.at(2));
  deliver(audio(2));
  CHECK(value("websocket_send_errors_total") == 2);
  CHECK(value("websocket_chunks_dropped_total", "error") == 2);
  listeners.remove(queues, 1);
  listeners.remove(queues, 2);
  CHECK(value("websocket_chunks_dropped_total", "disconnect") == 0);
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "past chunks count for the start, live ones for delivery and jitter") {
  listeners.add(queues, 1, transport.sink(1), WireFormat::kPcm, false);
  clock.now += 4 * kNsPerMs;
  queues.begin(listeners.at(1), {kGarden, 0, {make_text_message("{}")}, {audio(1), audio(2)}});
  take_all();
  CHECK(transport.sent[1].size() == 3);
  CHECK(own.sample("audio_startup_latency_ms").count() == 1);
  CHECK(own.sample("audio_startup_latency_ms").sum == 4.0);
  CHECK(own.sample("audio_chunk_delivery_latency_ms").count() == 0);

  const std::int64_t due_ns = clock.now;
  clock.now += 3 * kNsPerMs;
  deliver(audio(3), due_ns);
  take_all();
  CHECK(own.sample("audio_chunk_delivery_latency_ms").sum == 3.0);
  CHECK(own.sample("audio_chunk_jitter_ms").count() == 0);

  clock.now += 107 * kNsPerMs;
  deliver(audio(4), clock.now);
  take_all();
  CHECK(own.sample("audio_chunk_jitter_ms").sum == doctest::Approx(7.0));
  CHECK(value("auralis_send_intervals_total") == 1);
  CHECK(value("auralis_send_interval_late_ms_total") == doctest::Approx(7.0));
  CHECK(value("auralis_send_interval_early_ms_total") == 0);
  CHECK(value("auralis_send_interval_ms_squares_total") == doctest::Approx(49.0));
}

TEST_CASE_FIXTURE(Fixture, "silence is announced before it comes") {
  add(1);
  deliver(audio(9, true));
  take_all();
  REQUIRE(transport.sent[1].size() == 2);
  CHECK(texts(1).front()["code"] == "underrun");
  CHECK(texts(1).front()["seq"] == 9);
}

TEST_CASE_FIXTURE(Fixture, "a listener is sent its buffer status every five seconds") {
  add(1);
  transport.answer = SendResult::kTaken;
  for (std::int64_t seq = 0; seq < 101; ++seq, clock.now += kChunkNs) deliver(audio(seq));
  const auto told = texts(1);
  REQUIRE(told.size() == 2);
  CHECK(told.back()["type"] == "buffer_status");
  CHECK(told.back()["sent"] == 100);
}

TEST_CASE_FIXTURE(Fixture, "over plain HTTP only audio is sent, and no listener is pinged") {
  add(1, kGarden, WireFormat::kWav);
  queues.send_text(listeners.at(1), make_text_message("{}"));
  queues.send_text_to_all(make_text_message("{}"));
  deliver(audio(1, true));
  for (int second = 0; second < 61; ++second) {
    clock.now += kNsPerSecond;
    queues.written(listeners.at(1));
    deliver(audio(2 + second));
    queues.check_timeouts();
  }
  CHECK(texts(1).empty());
  CHECK(transport.pinged.empty());
  CHECK(transport.closed.empty());
}

TEST_CASE_FIXTURE(Fixture, "messages to a listener that does not read them are bounded") {
  add(1);
  const auto pong = make_text_message("{}");
  for (int i = 0; i < 1'000; ++i) queues.send_text(listeners.at(1), pong);
  take_all();
  CHECK(transport.sent[1].size() == SendQueues::kMaxTexts + 1);
}

TEST_CASE_FIXTURE(Fixture, "a player's report counts, but at most one a second") {
  add(1);
  CHECK(queues.report_playback(listeners.at(1), 150));
  CHECK_FALSE(queues.report_playback(listeners.at(1), 150));
  clock.now += kNsPerSecond;
  CHECK(queues.report_playback(listeners.at(1), 170));
  CHECK(own.sample("audio_end_to_end_latency_ms").count() == 2);
  CHECK(own.sample("audio_end_to_end_latency_ms").sum == 320.0);
}

TEST_CASE_FIXTURE(Fixture, "a listener that waits for its station is sent the past chunks first") {
  listeners.add(queues, 1, transport.sink(1), WireFormat::kPcm, false);
  deliver(audio(4));
  CHECK(transport.sent[1].empty());
  queues.begin(listeners.at(1), {kGarden, 0, {}, {audio(4), audio(5)}});
  deliver(audio(6));
  take_all();
  CHECK(transport.sent[1].size() == 3);
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "a listener that waits for its own station is not affected by others") {
  listeners.add(queues, 1, transport.sink(1), WireFormat::kPcm, false);
  queues.move({}, kGarden);  // the first stations are there
  queues.send_text(kGarden, make_text_message("{}"));
  CHECK(transport.sent[1].empty());
  queues.close_all_of(kGarden, close_code::kStationGone, "gone");
  CHECK(transport.closed.empty());
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
                  "reports that piled up while the process was stopped are no flood, and one counts") {
  add(1);
  CHECK(queues.report_playback(listeners.at(1), 100));
  stop(10);
  int taken = 0;
  for (int report = 0; report < 30; ++report) taken += queues.report_playback(listeners.at(1), 100) ? 1 : 0;
  CHECK(taken == 10);
  CHECK(own.sample("audio_end_to_end_latency_ms").count() == 2);
}

}  // namespace
}  // namespace auralis::send_queues_test
