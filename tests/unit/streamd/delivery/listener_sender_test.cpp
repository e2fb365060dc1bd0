// SPDX-License-Identifier: MIT
#include "streamd/delivery/listener_sender.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/streamd/support.h"

namespace auralis::listener_sender_test {
namespace {

constexpr ConnectionId kId = 7;
constexpr std::int64_t kChunkNs = 100 * kNsPerMs;

AudioMessagePtr audio(std::int64_t seq) {
  return std::make_shared<AudioMessage>(
      AudioMessage{make_binary_message(std::string(1'000, 'a')), seq, kChunkNs, false});
}

struct Fixture {
  test::OwnMetrics own;
  test::ManualClock clock;
  test::RecordingTransport transport;
  ProcessTime process_time{clock, 3'600 * kNsPerSecond};
  ChunkLedger ledger{clock, own.metrics};
  BacklogLimits limits{2 * kNsPerSecond, 1'000'000};
  std::vector<ConnectionId> stepped_down;
  std::function<void(ConnectionId)> step_down = [this](ConnectionId id) { stepped_down.push_back(id); };
  SendContext context{clock, process_time, own.metrics, ledger, transport, limits, step_down};

  ListenerSender sender(WireFormat format, bool offered_opus = false) {
    return {context, kId, transport.sink(kId), format, offered_opus};
  }
  double value(const std::string& name, const std::string& label = {}) const {
    return own.sample(name, label).value;
  }
  std::string sent(std::size_t index) { return std::string(payload_of(*transport.sent[kId].at(index))); }
};

TEST_CASE_FIXTURE(Fixture, "a chunk that the kernel takes never waits") {
  auto to = sender(WireFormat::kPcm);
  transport.answer = SendResult::kTaken;
  to.send_chunk(audio(1), clock.now);
  CHECK(value("websocket_chunks_sent_total") == 1);
  CHECK(value("auralis_chunks_queued") == 0);
  CHECK(to.bytes_sent() == audio(1)->message->bytes.size());
}

TEST_CASE_FIXTURE(Fixture, "chunks behind a pending one wait, and follow when it was written") {
  auto to = sender(WireFormat::kPcm);
  for (std::int64_t seq = 1; seq <= 3; ++seq) to.send_chunk(audio(seq), clock.now);
  CHECK(transport.sent[kId].size() == 1);
  CHECK(to.status().queued == 3);
  to.written();
  CHECK(transport.sent[kId].size() == 2);
  CHECK(to.status().sent == 1);
  CHECK(to.status().queued == 2);
}

TEST_CASE_FIXTURE(Fixture,
                  "a slow listener is skipped: its oldest chunks go, each with a warning in their place") {
  auto to = sender(WireFormat::kPcm);
  for (std::int64_t seq = 0; seq < 30; ++seq, clock.now += kChunkNs) to.send_chunk(audio(seq), clock.now);
  CHECK(to.status().dropped == 8);
  CHECK(value("websocket_chunks_dropped_total", "backlog") == 8);
  to.written();
  CHECK(nlohmann::json::parse(sent(1))["seq"] == 1);
}

TEST_CASE_FIXTURE(Fixture, "over plain HTTP a skipped chunk leaves no warning behind") {
  auto to = sender(WireFormat::kWav);
  to.send_text(make_text_message("{}"));
  for (std::int64_t seq = 0; seq < 30; ++seq, clock.now += kChunkNs) to.send_chunk(audio(seq), clock.now);
  to.written();
  CHECK(sent(1).substr(0, 1) == "a");
  CHECK(value("auralis_messages_dropped_total") == 0);
}

TEST_CASE_FIXTURE(Fixture, "a slow listener that offered Opus is stepped down before it is skipped") {
  auto to = sender(WireFormat::kPcm, true);
  for (std::int64_t seq = 0; seq < 30; ++seq, clock.now += kChunkNs) to.send_chunk(audio(seq), clock.now);
  CHECK(stepped_down == std::vector<ConnectionId>{kId});
  to.set_format(WireFormat::kOpus);
  to.announce_step_down();
  transport.take_all([&](ConnectionId) { to.written(); });
  CHECK(nlohmann::json::parse(sent(transport.sent[kId].size() - 1))["code"] == "stepped_down");
}

TEST_CASE_FIXTURE(Fixture, "a listener that takes nothing for ten seconds is closed") {
  auto to = sender(WireFormat::kPcm);
  to.send_chunk(audio(1), clock.now);
  clock.now += kNoProgressCloseNs - 1;
  to.apply_policy();
  CHECK_FALSE(to.closing());
  clock.now += 1;
  to.apply_policy();
  CHECK(to.closing());
  CHECK(transport.closed.at(kId) == close_code::kNoProgress);
}

TEST_CASE_FIXTURE(Fixture,
                  "a transmission that fails closes the listener, and what waits is dropped with it") {
  auto to = sender(WireFormat::kPcm);
  to.send_chunk(audio(1), clock.now);
  to.send_chunk(audio(2), clock.now);
  to.write_failed();
  CHECK(to.closing());
  CHECK(value("websocket_send_errors_total") == 1);
  CHECK(value("websocket_chunks_dropped_total", "error") == 1);
  to.drop_all();
  CHECK(value("websocket_chunks_dropped_total", "disconnect") == 1);
  CHECK(value("auralis_chunks_queued") == 0);
}

TEST_CASE_FIXTURE(Fixture, "a lost chunk is booked, and the listener warned of the gap") {
  auto to = sender(WireFormat::kOpus);
  to.lose_chunk(5, clock.now);
  CHECK(value("websocket_chunks_dropped_total", "encoding") == 1);
  CHECK(nlohmann::json::parse(sent(0))["seq"] == 5);
}

}  // namespace
}  // namespace auralis::listener_sender_test
