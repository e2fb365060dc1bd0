// SPDX-License-Identifier: MIT
#include "streamd/delivery/chunk_ledger.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/streamd/support.h"

namespace auralis::chunk_ledger_test {
namespace {

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;

constexpr std::array<const char*, 6> kReasons{"backlog", "step_down", "disconnect",
                                              "error",   "encoding",  "overrun"};

struct Fixture {
  test::OwnMetrics own;
  test::ManualClock clock;
  ChunkLedger ledger{clock, own.metrics};
  ChunkAccount account;
  std::int64_t seq = 100;
  std::int64_t due_ns = clock.now;

  // The next chunk of the timeline, after `skipped` others.
  QueuedMessage chunk(int skipped = 0) {
    seq += 1 + skipped;
    due_ns += (1 + skipped) * kChunkNs;
    return message(due_ns);
  }
  QueuedMessage message(std::int64_t due) const {
    const auto audio = std::make_shared<AudioMessage>(
        AudioMessage{make_raw_message(std::string(1'000, 'a')), seq, kChunkNs, false});
    return {audio->message, audio, due, 0};
  }
  void queue(const QueuedMessage& one) { ledger.note_queued(account, *one.audio, one.due_ns); }
  void send(const QueuedMessage& one) { ledger.note_sent_at_once(account, *one.audio, one.due_ns); }

  double value(const std::string& name, const std::string& label = {}) const {
    return own.sample(name, label).value;
  }
  double dropped(const std::string& reason) const { return value("websocket_chunks_dropped_total", reason); }
  MetricSample latencies() const { return own.sample("audio_chunk_delivery_latency_ms"); }
  // Every chunk due is sent, dropped or queued: in total and for the listener.
  void check_identity() const {
    double all_dropped = 0;
    for (const char* const reason : kReasons) all_dropped += dropped(reason);
    CHECK(value("auralis_chunks_due_total") ==
          value("websocket_chunks_sent_total") + all_dropped + value("auralis_chunks_queued"));
    CHECK(static_cast<double>(account.sent) == value("websocket_chunks_sent_total"));
    CHECK(static_cast<double>(account.dropped) == all_dropped);
    CHECK(static_cast<double>(account.queued) == value("auralis_chunks_queued"));
  }
};

TEST_CASE_FIXTURE(Fixture, "every chunk due is sent, dropped by its reason or queued, at every moment") {
  std::vector<QueuedMessage> queued;
  for (int i = 0; i < 6; ++i) {
    queued.push_back(chunk());
    queue(queued.back());
    check_identity();
  }
  ledger.note_sent(account, queued[0]);
  check_identity();
  send(chunk());
  check_identity();
  std::size_t next = 1;
  for (const DropReason reason :
       {DropReason::kBacklog, DropReason::kStepDown, DropReason::kDisconnect, DropReason::kError}) {
    ledger.note_dropped(account, queued[next++], reason);
    check_identity();
  }
  ledger.note_lost(account, seq + 1, due_ns + kChunkNs);
  check_identity();
  chunk();
  send(chunk(1));
  check_identity();
  CHECK(value("auralis_chunks_due_total") == 10);
  CHECK(value("websocket_chunks_sent_total") == 3);
  CHECK(value("auralis_chunks_queued") == 1);
  for (const char* const reason : kReasons) CHECK_MESSAGE(dropped(reason) == 1, reason);
}

TEST_CASE_FIXTURE(Fixture, "chunks that streamd skipped were due, and are lost at their age") {
  send(chunk());
  const double sum_before = latencies().sum;
  clock.now = due_ns + 2'100 * kNsPerMs;
  send(chunk(20));  // due now
  check_identity();
  CHECK(dropped("overrun") == 20);
  CHECK(value("auralis_chunks_due_total") == 22);
  CHECK(value("auralis_chunks_on_time_total") == 2);
  CHECK(latencies().count() == 22);
  CHECK(latencies().sum == doctest::Approx(sum_before + 100.0 * 20 * 21 / 2));
  INFO("the first ten are over a second old");
  const auto bounds = latencies().spec.bounds;
  const auto over_a_second =
      static_cast<std::size_t>(std::find(bounds.begin(), bounds.end(), 1'000) - bounds.begin() + 1);
  double late = 0;
  for (std::size_t i = over_a_second; i < latencies().buckets.size(); ++i) late += latencies().buckets[i];
  CHECK(late == 10);
}

TEST_CASE_FIXTURE(Fixture,
                  "what was skipped between the past and the first live chunk is told by its number") {
  send(message(0));
  CHECK(value("auralis_chunks_on_time_total") == 1);
  send(chunk(3));
  check_identity();
  CHECK(dropped("overrun") == 3);
}

TEST_CASE_FIXTURE(Fixture,
                  "a new timeline numbers its chunks from the beginning, and loses only what time says") {
  send(chunk());
  seq = -1;
  send(chunk(4));
  check_identity();
  CHECK(dropped("overrun") == 4);
  INFO("its phase may be another");
  due_ns += kChunkNs / 3;
  send(chunk());
  due_ns -= kChunkNs / 3;
  send(chunk());
  CHECK(dropped("overrun") == 4);
}

TEST_CASE_FIXTURE(Fixture, "after hours of sleep one age stands for many") {
  send(chunk());
  clock.now += std::int64_t{8} * 3'600 * kNsPerSecond;
  send(chunk(288'000));
  check_identity();
  CHECK(dropped("overrun") == 288'000);
  CHECK(latencies().count() == 288'002);
  CHECK(latencies().buckets.back() >= 287'940);
}

TEST_CASE_FIXTURE(Fixture, "what was due to a listener that left while streamd stood still is booked, too") {
  send(chunk());
  clock.now = due_ns + 99 * kNsPerMs;
  ledger.note_end(account);
  CHECK(value("auralis_chunks_due_total") == 1);
  clock.now = due_ns + 720 * kNsPerMs;
  ledger.note_end(account);
  check_identity();
  CHECK(dropped("disconnect") == 7);
  ChunkAccount fresh;
  ledger.note_end(fresh);
  CHECK(value("auralis_chunks_due_total") == 8);
}

TEST_CASE_FIXTURE(Fixture,
                  "a chunk is on time within a second of its due time, and handed over when it is offered") {
  const QueuedMessage one = chunk();
  const QueuedMessage other = chunk();
  clock.now = one.due_ns + 4 * kNsPerMs;
  queue(one);
  CHECK(own.sample("auralis_chunk_handover_latency_ms").sum == 4.0);
  clock.now = other.due_ns + 6 * kNsPerMs;
  queue(other);
  clock.now = one.due_ns + kNsPerSecond;
  ledger.note_sent(account, one);
  CHECK(value("auralis_chunks_on_time_total") == 1);
  clock.now = other.due_ns + kNsPerSecond + 1;
  ledger.note_sent(account, other);
  CHECK(value("auralis_chunks_on_time_total") == 1);
  CHECK(own.sample("auralis_chunk_handover_latency_ms").count() == 2);
  CHECK(own.sample("auralis_chunk_handover_latency_ms").sum == 10.0);
}

TEST_CASE_FIXTURE(Fixture, "a chunk that waited in vain is lost at its age, unless its listener left") {
  std::vector<QueuedMessage> queued;
  for (int i = 0; i < 4; ++i) queue(queued.emplace_back(chunk()));
  clock.now = queued[0].due_ns + 2 * kNsPerSecond;
  ledger.note_dropped(account, queued[0], DropReason::kBacklog);
  CHECK(latencies().sum == 2'000.0);
  ledger.note_dropped(account, queued[1], DropReason::kDisconnect);
  CHECK(latencies().count() == 1);
  queue(message(0));
  ledger.note_dropped(account, message(0), DropReason::kBacklog);
  CHECK(latencies().count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "text messages count as bytes alone") {
  const QueuedMessage text{make_raw_message("{}"), nullptr, 0, 0};
  ledger.note_sent(account, text);
  ledger.note_dropped(account, text, DropReason::kDisconnect);
  check_identity();
  CHECK(value("auralis_chunks_due_total") == 0);
  CHECK(value("network_bytes_sent_total") == 2);
  CHECK(account.bytes == 2);
}

TEST_CASE_FIXTURE(Fixture, "the start counts once, from the connection to the first chunk, past or live") {
  account.accepted_ns = clock.now;
  clock.now += 4 * kNsPerMs;
  for (int i = 0; i < 3; ++i) {
    queue(message(0));
    ledger.note_sent(account, message(0));
    clock.now += 50 * kNsPerMs;
  }
  CHECK(own.sample("audio_startup_latency_ms").count() == 1);
  CHECK(own.sample("audio_startup_latency_ms").sum == 4.0);
  CHECK(own.sample("audio_chunk_delivery_latency_ms").count() == 0);
}

TEST_CASE_FIXTURE(Fixture, "live chunks count with their latency and the jitter between two of them") {
  const QueuedMessage first = chunk();
  clock.now = first.due_ns + 3 * kNsPerMs;
  send(first);
  CHECK(latencies().sum == 3.0);
  CHECK(own.sample("audio_chunk_jitter_ms").count() == 0);
  clock.now += 93 * kNsPerMs;
  send(chunk());
  CHECK(own.sample("audio_chunk_jitter_ms").sum == doctest::Approx(7.0));
  CHECK(value("auralis_send_interval_early_ms_total") == doctest::Approx(7.0));
  CHECK(value("auralis_send_interval_late_ms_total") == 0);
  CHECK(value("auralis_send_interval_ms_squares_total") == doctest::Approx(49.0));
}

TEST_CASE_FIXTURE(Fixture, "a chunk lost to encoding is observed with its age when it was given up") {
  clock.now = due_ns + 400 * kNsPerMs;
  ledger.note_lost(account, seq, due_ns);
  CHECK(latencies().sum == 400.0);
}

TEST_CASE_FIXTURE(Fixture, "what a killed streamd left queued is dropped by the next one's ledger") {
  const QueuedMessage first = chunk();
  queue(first);
  for (int i = 0; i < 2; ++i) queue(chunk());
  ledger.note_sent(account, first);
  const ChunkLedger next(clock, own.metrics);
  CHECK(dropped("disconnect") == 2);
  CHECK(value("auralis_chunks_queued") == 0);
  CHECK(value("auralis_chunks_due_total") == 3);
}

}  // namespace
}  // namespace auralis::chunk_ledger_test
