// SPDX-License-Identifier: MIT
// Messages that are sent: to whom, in which order, and how they are booked.
#include "streamd/delivery/send_queues.h"

#include <doctest/doctest.h>

#include <map>

#include <nlohmann/json.hpp>

#include "tests/unit/streamd/delivery/send_queues_fixture.h"

namespace auralis::send_queues_test {
namespace {

using Fixture = test::SendQueuesFixture;

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
  queues.begin(listeners.at(3), {kGarden, 7, {}});
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

TEST_CASE_FIXTURE(Fixture, "what was queued, or fell due, to a listener that leaves is booked as dropped") {
  add(1);
  deliver(audio(1));
  deliver(audio(2));
  clock.now += 3 * kNsPerSecond;
  listeners.remove(queues, 1);
  CHECK(value("websocket_chunks_dropped_total", "disconnect") == 2 + 30);
  check_books();
  deliver(audio(3));
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "the reason of a disconnection is that of the side which closed it first") {
  const auto gone = [this](ConnectionId id, std::uint16_t code, ConnectionEnd end) {
    add(id);
    if (code != 0) queues.close(listeners.at(id), code, "");
    return disconnect_reason_name(listeners.remove(queues, id, end));
  };
  CHECK(gone(1, 0, ConnectionEnd::kClosed) == "client");
  CHECK(gone(2, 0, ConnectionEnd::kReset) == "reset");
  CHECK(gone(3, close_code::kNoSignOfLife, ConnectionEnd::kReset) == "idle");
  CHECK(gone(4, close_code::kNoProgress, ConnectionEnd::kReset) == "backlog");
  CHECK(gone(5, close_code::kOperator, ConnectionEnd::kClosed) == "operator");
  CHECK(gone(6, close_code::kStationGone, ConnectionEnd::kClosed) == "operator");
  CHECK(gone(7, close_code::kGoingAway, ConnectionEnd::kClosed) == "drain");
  CHECK(gone(8, close_code::kPolicyViolation, ConnectionEnd::kClosed) == "error");
}

TEST_CASE_FIXTURE(Fixture, "what a killed streamd left queued is dropped by the next one") {
  add(1);
  deliver(audio(1));
  deliver(audio(2));
  queues.written(listeners.at(1));
  const SendQueues next(clock, process_time, own.metrics, transport, {}, 1, nullptr);
  CHECK(value("websocket_chunks_dropped_total", "disconnect") == 1);
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
  queues.begin(listeners.at(1), {kGarden, 0, {make_text_message("{}")}, {{audio(1), audio(2)}, 0}});
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

TEST_CASE_FIXTURE(Fixture, "a player's report counts, but at most one a second") {
  add(1);
  CHECK(queues.report_playback(listeners.at(1), {150, 80, 1, 20, 2}));
  CHECK_FALSE(queues.report_playback(listeners.at(1), {150, 80, 1, 20, 2}));
  clock.now += kNsPerSecond;
  CHECK(queues.report_playback(listeners.at(1), {170, 90, 0, 3, 0}));
  CHECK(own.sample("audio_end_to_end_latency_ms").count() == 2);
  CHECK(own.sample("audio_end_to_end_latency_ms").sum == 150.0);
  CHECK(own.sample("auralis_player_buffer_ms").sum == 170.0);
  CHECK(value("auralis_player_underruns_total") == 1);
  CHECK(value("auralis_player_gaps_total") == 23);
  CHECK(value("auralis_player_skips_total") == 2);
  CHECK(listeners.at(1).playback()->buffer_ms == 90);
}

TEST_CASE_FIXTURE(Fixture, "a player that does not know its latency is in no figure of it") {
  add(1);
  CHECK_FALSE(listeners.at(1).playback());
  CHECK(queues.report_playback(listeners.at(1), {{}, 80}));
  CHECK(own.sample("audio_end_to_end_latency_ms").count() == 0);
  CHECK(own.sample("auralis_player_buffer_ms").sum == 80.0);
}

TEST_CASE_FIXTURE(Fixture, "players report how long they played, in silence, and how soon") {
  add(1);
  CHECK(queues.report_playback(listeners.at(1), {150, 80, 0, 0, 0, 0, 4'000, 600}));
  clock.now += kNsPerSecond;
  CHECK(queues.report_playback(listeners.at(1), {150, 80, 1, 0, 0, 70, 5'000}));
  CHECK(value("auralis_player_listened_ms_total") == 9'000);
  CHECK(value("auralis_player_silence_ms_total") == 70);
  CHECK(own.sample("auralis_player_startup_ms").count() == 1);
  CHECK(own.sample("auralis_player_startup_ms").sum == 600);
  clock.now += kNsPerSecond;
  CHECK(queues.report_playback(listeners.at(1), {150, 80, 0, 0, 0, 6'000, 60'000}));
  CHECK(value("auralis_player_listened_ms_total") == 9'000 + SendQueues::kMostReportedMs);
  CHECK(value("auralis_player_silence_ms_total") == 70 + SendQueues::kMostReportedMs / 10);
}

TEST_CASE_FIXTURE(Fixture,
                  "of the latency that a player with a lead reports its buffer counts less the lead") {
  listeners.add(queues, 1, transport.sink(1), WireFormat::kPcm, false);
  queues.begin(listeners.at(1), {kGarden, 0, {}, {{audio(1)}, 1}, 4});
  CHECK(queues.report_playback(listeners.at(1), {1'650, 2'000}));
  CHECK(own.sample("audio_end_to_end_latency_ms").sum == 50.0);
}

TEST_CASE_FIXTURE(Fixture, "one player's report cannot own a metric") {
  add(1);
  CHECK(queues.report_playback(listeners.at(1), {60'000, 20'000, 1'000'000, 1'000'000, 1'000'000}));
  CHECK(own.sample("audio_end_to_end_latency_ms").sum == 10'000.0);
  CHECK(own.sample("auralis_player_buffer_ms").sum == 10'000.0);
  for (const char* const name :
       {"auralis_player_underruns_total", "auralis_player_gaps_total", "auralis_player_skips_total"})
    CHECK(value(name) == SendQueues::kMostReportedEvents);
}

TEST_CASE_FIXTURE(Fixture, "a listener that waits for its station is sent the past chunks first") {
  listeners.add(queues, 1, transport.sink(1), WireFormat::kPcm, false);
  deliver(audio(4));
  CHECK(transport.sent[1].empty());
  queues.begin(listeners.at(1), {kGarden, 0, {}, {{audio(4), audio(5)}, 0}});
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

}  // namespace
}  // namespace auralis::send_queues_test
