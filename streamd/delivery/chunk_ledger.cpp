// SPDX-License-Identifier: MIT
#include "streamd/delivery/chunk_ledger.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace auralis {
namespace {

double to_ms(std::int64_t ns) { return static_cast<double>(ns) / kNsPerMs; }

}  // namespace

ChunkLedger::ChunkLedger(const Clock& clock, StreamMetrics& metrics) : clock_(clock), metrics_(metrics) {
  const auto update = metrics_.atomic_update();
  metrics_.dropped_disconnect.add(metrics_.chunks_offered.value() - settled());
  metrics_.chunks_queued.set(0);
  assert(balanced());
}

// Chunks that were sent or dropped.
double ChunkLedger::settled() const {
  return metrics_.chunks_sent.value() + metrics_.dropped_backlog.value() +
         metrics_.dropped_disconnect.value() + metrics_.dropped_error.value() +
         metrics_.dropped_encoding.value();
}

bool ChunkLedger::balanced() const { return metrics_.chunks_offered.value() == settled() + queued_; }

Counter& ChunkLedger::dropped(DropReason reason) {
  switch (reason) {
    case DropReason::kBacklog:
      return metrics_.dropped_backlog;
    case DropReason::kDisconnect:
      return metrics_.dropped_disconnect;
    case DropReason::kError:
      return metrics_.dropped_error;
    case DropReason::kEncoding:
      break;
  }
  return metrics_.dropped_encoding;
}

void ChunkLedger::note_queued(ChunkAccount& account) {
  const auto update = metrics_.atomic_update();
  metrics_.chunks_offered.add();
  add_queued(account, +1);
  assert(balanced());
}

void ChunkLedger::note_sent_at_once(ChunkAccount& account, const AudioMessage& audio, std::int64_t due_ns) {
  const std::size_t bytes = audio.message->bytes.size();
  account.bytes += bytes;
  const auto update = metrics_.atomic_update();
  metrics_.chunks_offered.add();
  metrics_.bytes_sent.add(static_cast<double>(bytes));
  add_sent(account, audio, due_ns);
  assert(balanced());
}

void ChunkLedger::note_sent(ChunkAccount& account, const QueuedMessage& sent) {
  const std::size_t bytes = sent.message->bytes.size();
  account.bytes += bytes;
  const auto update = metrics_.atomic_update();
  metrics_.bytes_sent.add(static_cast<double>(bytes));
  if (!sent.audio) return;
  add_queued(account, -1);
  add_sent(account, *sent.audio, sent.due_ns);
  assert(balanced());
}

void ChunkLedger::note_dropped(ChunkAccount& account, const QueuedMessage& dropped, DropReason reason) {
  if (!dropped.audio) return;
  ++account.dropped;
  const auto update = metrics_.atomic_update();
  this->dropped(reason).add();
  add_queued(account, -1);
  assert(balanced());
}

void ChunkLedger::note_lost(ChunkAccount& account, std::int64_t due_ns) {
  ++account.dropped;
  const auto update = metrics_.atomic_update();
  metrics_.chunks_offered.add();
  dropped(DropReason::kEncoding).add();
  metrics_.delivery_latency_ms.observe(to_ms(clock_.now_ns() - due_ns));
  assert(balanced());
}

void ChunkLedger::add_queued(ChunkAccount& account, int change) {
  assert(change > 0 || account.queued > 0);
  account.queued += static_cast<std::uint64_t>(change);
  queued_ += change;
  metrics_.chunks_queued.set(queued_);
}

void ChunkLedger::add_sent(ChunkAccount& account, const AudioMessage& audio, std::int64_t due_ns) {
  const std::int64_t now_ns = clock_.now_ns();
  metrics_.chunks_sent.add();
  if (account.sent++ == 0) metrics_.startup_latency_ms.observe(to_ms(now_ns - account.accepted_ns));
  if (due_ns == 0) return;  // a chunk of the past was never due
  metrics_.delivery_latency_ms.observe(to_ms(now_ns - due_ns));
  observe_interval(account, audio.duration_ns, now_ns);
}

// The interval between two live chunks, and how far it is from the length of a chunk.
void ChunkLedger::observe_interval(ChunkAccount& account, std::int64_t duration_ns, std::int64_t now_ns) {
  const std::int64_t before_ns = std::exchange(account.last_live_sent_ns, now_ns);
  if (before_ns == 0) return;
  const double deviation_ms = to_ms(now_ns - before_ns - duration_ns);
  metrics_.jitter_ms.observe(std::abs(deviation_ms));
  metrics_.send_intervals.add();
  metrics_.send_late_ms.add(std::max(deviation_ms, 0.0));
  metrics_.send_early_ms.add(std::max(-deviation_ms, 0.0));
  metrics_.send_deviation_squares.add(deviation_ms * deviation_ms);
}

}  // namespace auralis
