// SPDX-License-Identifier: MIT
#include "streamd/hub.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/unit/streamd/support.h"

namespace auralis {
namespace {

OutgoingChunkPtr chunk(std::int64_t seq, bool silence = false) {
  AudioChunk audio;
  audio.seq = seq;
  audio.sample_rate = 44'100;
  audio.channels = 2;
  audio.frames = 4'410;
  audio.silence = silence;
  audio.samples.assign(8'820, 1);
  return std::make_shared<OutgoingChunk>(std::move(audio));
}

constexpr StationPlace kGarden{0, 1};
constexpr StationPlace kHarbour{1, 1};

struct Fixture {
  test::ManualClock clock;
  test::OwnMetrics own;
  test::RecordingTransport transport;
  Hub hub{clock, own.metrics, transport, {3, 2 * kNsPerSecond}};

  // A listener that is delivered to.
  void come(ConnectionId id, WireFormat format, const StationPlace& station = kGarden) {
    hub.add(id, format, station);
    hub.prefill(id, {});
  }
  // To all who listen to the garden.
  void deliver(const OutgoingChunkPtr& chunk, std::uint32_t phase, std::int64_t due_ns) {
    hub.deliver([&](const StationPlace& station) { return station == kGarden ? chunk : nullptr; }, phase,
                due_ns);
  }
  void take_all() {
    transport.take_all([&](ConnectionId id, std::size_t bytes) { hub.written(id, bytes); });
  }
  double value(const std::string& name, const std::string& label = {}) const {
    return own.sample(name, label).value;
  }
  double dropped() const {
    return value("websocket_chunks_dropped_total", "backlog") +
           value("websocket_chunks_dropped_total", "disconnect") +
           value("websocket_chunks_dropped_total", "error");
  }
  // The invariant of the books.
  void check_books() const {
    CHECK(value("auralis_chunks_offered_total") ==
          value("websocket_chunks_sent_total") + dropped() + value("auralis_chunks_queued"));
  }
};

TEST_CASE_FIXTURE(Fixture, "a chunk is encoded once and its frame is shared by all listeners of a format") {
  come(1, WireFormat::kPcm);
  come(2, WireFormat::kPcm);
  come(3, WireFormat::kJson);
  deliver(chunk(5), 0, clock.now);
  CHECK(transport.sent[1].front() == transport.sent[2].front());
  CHECK(transport.sent[1].front() != transport.sent[3].front());
}

TEST_CASE_FIXTURE(Fixture, "listeners are spread evenly over the phases, and each hears only its own") {
  hub.set_phases(3);
  std::set<std::uint32_t> phases;
  for (ConnectionId id = 1; id <= 3; ++id) {
    come(id, WireFormat::kPcm);
    phases.insert(hub.phase_of(id));
  }
  CHECK(phases.size() == 3);
  deliver(chunk(1), 1, clock.now);
  CHECK(transport.sent.size() == 1);
  hub.removed(2);
  come(4, WireFormat::kPcm);
  CHECK(hub.phase_of(4) == 1);
}

TEST_CASE_FIXTURE(Fixture, "one message is on its way at a time, and the next follows when it was taken") {
  come(1, WireFormat::kPcm);
  deliver(chunk(1), 0, clock.now);
  deliver(chunk(2), 0, clock.now);
  CHECK(transport.sent[1].size() == 1);
  CHECK(value("auralis_chunks_queued") == 2);
  hub.written(1, 100);
  CHECK(transport.sent[1].size() == 2);
  CHECK(value("websocket_chunks_sent_total") == 1);
  CHECK(value("network_bytes_sent_total") == 100);
  check_books();
}

TEST_CASE_FIXTURE(
    Fixture, "a stalled listener loses its oldest chunks by age, is told where, and holds bounded memory") {
  come(1, WireFormat::kPcm);
  for (std::int64_t seq = 0; seq < 60; ++seq) {
    deliver(chunk(seq), 0, clock.now);
    clock.now += 100 * kNsPerMs;
    check_books();
  }
  CHECK(value("auralis_chunks_queued") == 22);  // two seconds of them, the newest, and the one on its way
  CHECK(value("websocket_chunks_dropped_total", "backlog") == 38);
  take_all();
  std::size_t warnings = 0;
  for (const auto& message : transport.sent[1])
    warnings += payload_of(*message).find("skipped") != std::string::npos ? 1 : 0;
  CHECK(warnings == 38);
  CHECK(value("auralis_chunks_queued") == 0);
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "a stalled listener leaves the others untouched") {
  come(1, WireFormat::kPcm);
  come(2, WireFormat::kPcm);
  for (std::int64_t seq = 0; seq < 60; ++seq) {
    deliver(chunk(seq), 0, clock.now);
    hub.written(2, 1);
    clock.now += 100 * kNsPerMs;
  }
  CHECK(transport.sent[1].size() == 1);
  CHECK(transport.sent[2].size() == 60);
}

TEST_CASE_FIXTURE(Fixture, "a listener that takes nothing for ten seconds is closed with 4008") {
  come(1, WireFormat::kPcm);
  deliver(chunk(1), 0, clock.now);
  clock.now += 10 * kNsPerSecond - 1;
  hub.close_stalled();
  CHECK(transport.closed.empty());
  clock.now += 1;
  hub.close_stalled();
  CHECK(transport.closed.at(1) == 4008);
  const auto sent = transport.sent[1].size();
  deliver(chunk(2), 0, clock.now);
  CHECK(transport.sent[1].size() == sent);
}

TEST_CASE_FIXTURE(Fixture, "what a leaving listener had queued is dropped in the books") {
  come(1, WireFormat::kPcm);
  deliver(chunk(1), 0, clock.now);
  deliver(chunk(2), 0, clock.now);
  clock.now += 3 * kNsPerSecond;
  hub.removed(1);
  CHECK(value("websocket_chunks_dropped_total", "disconnect") == 2);
  CHECK(value("websocket_disconnections_total") == 1);
  CHECK(value("websocket_active_connections") == 0);
  CHECK(own.sample("websocket_connection_duration_seconds").sum == 3.0);
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "what a killed streamd left unsettled is settled by the next one") {
  come(1, WireFormat::kPcm);
  deliver(chunk(1), 0, clock.now);
  deliver(chunk(2), 0, clock.now);
  hub.written(1, 100);
  const Hub next(clock, own.metrics, transport, {3, 2 * kNsPerSecond});
  CHECK(value("websocket_chunks_dropped_total", "disconnect") == 1);
  CHECK(value("websocket_disconnections_total") == 1);
  CHECK(value("auralis_chunks_queued") == 0);
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "a failed transmission is an error, counted once") {
  come(1, WireFormat::kPcm);
  deliver(chunk(1), 0, clock.now);
  hub.write_failed(1);
  CHECK(value("websocket_send_errors_total") == 1);
  CHECK(value("websocket_chunks_dropped_total", "error") == 1);
  hub.removed(1);
  CHECK(value("websocket_chunks_dropped_total", "disconnect") == 0);
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "past chunks count for the start, live ones for delivery and jitter") {
  come(1, WireFormat::kPcm);
  clock.now += 4 * kNsPerMs;
  hub.prefill(1, {chunk(1), chunk(2)});
  take_all();
  CHECK(own.sample("audio_startup_latency_ms").count() == 1);
  CHECK(own.sample("audio_startup_latency_ms").sum == 4.0);
  CHECK(own.sample("audio_chunk_delivery_latency_ms").count() == 0);

  const std::int64_t due_ns = clock.now;
  clock.now += 3 * kNsPerMs;
  deliver(chunk(3), 0, due_ns);
  take_all();
  CHECK(own.sample("audio_chunk_delivery_latency_ms").sum == 3.0);
  CHECK(own.sample("audio_chunk_jitter_ms").count() == 0);

  clock.now += 107 * kNsPerMs;
  deliver(chunk(4), 0, clock.now);
  take_all();
  CHECK(own.sample("audio_chunk_jitter_ms").sum == doctest::Approx(7.0));
  CHECK(value("auralis_send_intervals_total") == 1);
  CHECK(value("auralis_send_interval_late_ms_total") == doctest::Approx(7.0));
  CHECK(value("auralis_send_interval_early_ms_total") == 0);
  CHECK(value("auralis_send_interval_ms_squares_total") == doctest::Approx(49.0));
}

TEST_CASE_FIXTURE(Fixture, "silence is announced before it comes") {
  come(1, WireFormat::kPcm);
  deliver(chunk(9, true), 0, clock.now);
  take_all();
  REQUIRE(transport.sent[1].size() == 2);
  CHECK(payload_of(*transport.sent[1][0]).find("\"code\":\"underrun\",\"seq\":9") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "messages to a listener that does not read them are bounded") {
  come(1, WireFormat::kPcm);
  const auto pong = make_text_message("{}");
  for (int i = 0; i < 1'000; ++i) hub.send_text(1, pong);
  take_all();
  CHECK(transport.sent[1].size() == Hub::kMaxTexts + 1);
}

TEST_CASE_FIXTURE(Fixture, "a player's report counts, but at most one a second") {
  come(1, WireFormat::kPcm);
  CHECK(hub.report_playback(1, 150));
  CHECK_FALSE(hub.report_playback(1, 150));
  clock.now += kNsPerSecond;
  CHECK(hub.report_playback(1, 170));
  CHECK(own.sample("audio_end_to_end_latency_ms").count() == 2);
  CHECK(own.sample("audio_end_to_end_latency_ms").sum == 320.0);
}

TEST_CASE_FIXTURE(Fixture, "there is room up to the limit, those counted in who are on their way") {
  come(1, WireFormat::kPcm);
  CHECK(hub.has_room(1));
  CHECK_FALSE(hub.has_room(2));
  come(2, WireFormat::kPcm);
  come(3, WireFormat::kPcm);
  CHECK_FALSE(hub.has_room(0));
}

TEST_CASE_FIXTURE(Fixture, "listeners of phases that are no more are dealt out anew") {
  hub.set_phases(10);
  for (ConnectionId id = 1; id <= 3; ++id) come(id, WireFormat::kPcm);
  hub.set_phases(2);
  deliver(chunk(1), 0, clock.now);
  deliver(chunk(1), 1, clock.now);
  for (ConnectionId id = 1; id <= 3; ++id) CHECK(transport.sent[id].size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a listener hears its own station and its messages alone, and moves with it") {
  come(1, WireFormat::kPcm);
  come(2, WireFormat::kPcm, kHarbour);
  deliver(chunk(1), 0, clock.now);
  CHECK(transport.sent[1].size() == 1);
  CHECK(transport.sent[2].empty());
  hub.send_text(kHarbour, make_text_message("{}"));
  CHECK(transport.sent[2].size() == 1);
  CHECK(hub.listeners_of(kGarden) == 1);
  take_all();
  hub.move(kHarbour, kGarden);
  CHECK(hub.listeners_of(kGarden) == 2);
  CHECK(hub.stations() == std::vector<StationPlace>{kGarden});
  deliver(chunk(2), 0, clock.now);
  CHECK(transport.sent[2].size() == 2);
  hub.close_all_of(kGarden, close_code::kStationGone, "gone");
  CHECK(transport.closed.at(1) == 4004);
  CHECK(transport.closed.at(2) == 4004);
  hub.removed(1);
  hub.removed(2);
  CHECK(hub.listeners_of(kGarden) == 0);
  CHECK(hub.stations().empty());
}

TEST_CASE_FIXTURE(Fixture, "who waits for a station is delivered to from its past chunks on") {
  hub.add(1, WireFormat::kPcm, kGarden);
  deliver(chunk(4), 0, clock.now);
  CHECK(transport.sent[1].empty());
  hub.prefill(1, {chunk(4), chunk(5)});
  deliver(chunk(6), 0, clock.now);
  take_all();
  CHECK(transport.sent[1].size() == 3);
  check_books();
}

}  // namespace
}  // namespace auralis
