// SPDX-License-Identifier: MIT
#include "streamd/delivery/chunk_ledger.h"

#include <doctest/doctest.h>

#include "tests/unit/streamd/support.h"

namespace auralis::chunk_ledger_test {
namespace {

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;

QueuedMessage chunk(std::int64_t due_ns, std::size_t bytes = 1'000) {
  const auto audio = std::make_shared<AudioMessage>(
      AudioMessage{make_raw_message(std::string(bytes, 'a')), 1, kChunkNs, false});
  return {audio->message, audio, due_ns, 0};
}

struct Fixture {
  test::ManualClock clock;
  test::OwnMetrics own;
  ChunkLedger ledger{clock, own.metrics};
  ChunkAccount account;

  double value(const std::string& name, const std::string& label = {}) const {
    return own.sample(name, label).value;
  }
  double dropped(const std::string& reason) const { return value("websocket_chunks_dropped_total", reason); }
  // Every chunk offered is sent, dropped or queued: in total and for the listener.
  void check_identity() const {
    const double dropped_in_all =
        dropped("backlog") + dropped("disconnect") + dropped("error") + dropped("encoding");
    CHECK(value("auralis_chunks_offered_total") ==
          value("websocket_chunks_sent_total") + dropped_in_all + value("auralis_chunks_queued"));
    CHECK(static_cast<double>(account.sent) == value("websocket_chunks_sent_total"));
    CHECK(static_cast<double>(account.dropped) == dropped_in_all);
    CHECK(static_cast<double>(account.queued) == value("auralis_chunks_queued"));
  }
};

TEST_CASE_FIXTURE(Fixture, "every chunk offered is sent, dropped by its reason or queued, at every moment") {
  const QueuedMessage one = chunk(clock.now);
  for (int i = 0; i < 5; ++i) {
    ledger.note_queued(account);
    check_identity();
  }
  ledger.note_sent(account, one);
  check_identity();
  ledger.note_sent_at_once(account, *one.audio, clock.now);
  check_identity();
  for (const DropReason reason : {DropReason::kBacklog, DropReason::kDisconnect, DropReason::kError}) {
    ledger.note_dropped(account, one, reason);
    check_identity();
  }
  ledger.note_lost(account, clock.now);
  check_identity();
  CHECK(value("auralis_chunks_offered_total") == 7);
  CHECK(value("websocket_chunks_sent_total") == 2);
  CHECK(value("auralis_chunks_queued") == 1);
  for (const char* const reason : {"backlog", "disconnect", "error", "encoding"}) CHECK(dropped(reason) == 1);
}

TEST_CASE_FIXTURE(Fixture, "text messages count as bytes alone") {
  const QueuedMessage text{make_raw_message("{}"), nullptr, 0, 0};
  ledger.note_sent(account, text);
  ledger.note_dropped(account, text, DropReason::kDisconnect);
  check_identity();
  CHECK(value("auralis_chunks_offered_total") == 0);
  CHECK(value("network_bytes_sent_total") == 2);
  CHECK(account.bytes == 2);
}

TEST_CASE_FIXTURE(Fixture, "the start counts once, from the connection to the first chunk, past or live") {
  account.accepted_ns = clock.now;
  clock.now += 4 * kNsPerMs;
  for (int i = 0; i < 3; ++i) {
    ledger.note_queued(account);
    ledger.note_sent(account, chunk(0));
    clock.now += 50 * kNsPerMs;
  }
  CHECK(own.sample("audio_startup_latency_ms").count() == 1);
  CHECK(own.sample("audio_startup_latency_ms").sum == 4.0);
  CHECK(own.sample("audio_chunk_delivery_latency_ms").count() == 0);
}

TEST_CASE_FIXTURE(Fixture, "live chunks count with their latency and the jitter between two of them") {
  const QueuedMessage first = chunk(clock.now);
  clock.now += 3 * kNsPerMs;
  ledger.note_sent_at_once(account, *first.audio, first.due_ns);
  CHECK(own.sample("audio_chunk_delivery_latency_ms").sum == 3.0);
  CHECK(own.sample("audio_chunk_jitter_ms").count() == 0);
  clock.now += 93 * kNsPerMs;
  ledger.note_sent_at_once(account, *first.audio, clock.now);
  CHECK(own.sample("audio_chunk_jitter_ms").sum == doctest::Approx(7.0));
  CHECK(value("auralis_send_interval_early_ms_total") == doctest::Approx(7.0));
  CHECK(value("auralis_send_interval_late_ms_total") == 0);
  CHECK(value("auralis_send_interval_ms_squares_total") == doctest::Approx(49.0));
}

TEST_CASE_FIXTURE(Fixture, "a chunk lost to encoding is observed with its age when it was given up") {
  const std::int64_t due_ns = clock.now;
  clock.now += 400 * kNsPerMs;
  ledger.note_lost(account, due_ns);
  CHECK(own.sample("audio_chunk_delivery_latency_ms").sum == 400.0);
}

TEST_CASE_FIXTURE(Fixture, "what a killed streamd left queued is dropped by the next one's ledger") {
  for (int i = 0; i < 3; ++i) ledger.note_queued(account);
  ledger.note_sent(account, chunk(clock.now));
  const ChunkLedger next(clock, own.metrics);
  CHECK(dropped("disconnect") == 2);
  CHECK(value("auralis_chunks_queued") == 0);
  CHECK(value("auralis_chunks_offered_total") == 3);
}

}  // namespace
}  // namespace auralis::chunk_ledger_test
