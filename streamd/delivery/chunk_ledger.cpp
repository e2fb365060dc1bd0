// SPDX-License-Identifier: MIT
#include "streamd/delivery/chunk_ledger.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace auralis {
namespace {

// As websocket_chunk_delivery_success_rate counts it.
constexpr std::int64_t kOnTimeNs = kNsPerSecond;

double to_ms(std::int64_t ns) { return static_cast<double>(ns) / kNsPerMs; }

}  // namespace

ChunkLedger::ChunkLedger(const Clock& clock, StreamMetrics& metrics) : clock_(clock), metrics_(metrics) {
  const auto update = metrics_.atomic_update();
  metrics_.dropped_disconnect.add(metrics_.chunks_due.value() - settled());
  metrics_.chunks_queued.set(0);
  assert(balanced());
}

// Chunks that were sent or dropped.
double ChunkLedger::settled() const {
  return metrics_.chunks_sent.value() + metrics_.dropped_backlog.value() +
         metrics_.dropped_step_down.value() + metrics_.dropped_disconnect.value() +
         metrics_.dropped_error.value() + metrics_.dropped_encoding.value() +
         metrics_.dropped_overrun.value();
}

bool ChunkLedger::balanced() const { return metrics_.chunks_due.value() == settled() + queued_; }

Counter& ChunkLedger::dropped(DropReason reason) {
  switch (reason) {
    case DropReason::kBacklog:
      return metrics_.dropped_backlog;
    case DropReason::kStepDown:
      return metrics_.dropped_step_down;
    case DropReason::kDisconnect:
      return metrics_.dropped_disconnect;
    case DropReason::kError:
      return metrics_.dropped_error;
    case DropReason::kEncoding:
      return metrics_.dropped_encoding;
    case DropReason::kOverrun:
      break;
  }
  return metrics_.dropped_overrun;
}

void ChunkLedger::note_queued(ChunkAccount& account, const AudioMessage& audio, std::int64_t due_ns) {
  account.chunk_ns = audio.duration_ns;
  const auto update = metrics_.atomic_update();
  fall_due(account, audio.seq, due_ns);
  add_queued(account, +1);
  observe_handover(due_ns, clock_.now_ns());
  assert(balanced());
}

void ChunkLedger::note_sent_at_once(ChunkAccount& account, const AudioMessage& audio, std::int64_t due_ns) {
  const std::size_t bytes = audio.message->bytes.size();
  account.bytes += bytes;
  account.chunk_ns = audio.duration_ns;
  const std::int64_t now_ns = clock_.now_ns();
  const auto update = metrics_.atomic_update();
  fall_due(account, audio.seq, due_ns);
  observe_handover(due_ns, now_ns);
  metrics_.bytes_sent.add(static_cast<double>(bytes));
  add_sent(account, audio, due_ns, now_ns);
  assert(balanced());
}

void ChunkLedger::note_sent(ChunkAccount& account, const QueuedMessage& sent) {
  const std::size_t bytes = sent.message->bytes.size();
  account.bytes += bytes;
  const auto update = metrics_.atomic_update();
  metrics_.bytes_sent.add(static_cast<double>(bytes));
  if (!sent.audio) return;
  add_queued(account, -1);
  add_sent(account, *sent.audio, sent.due_ns, clock_.now_ns());
  assert(balanced());
}

void ChunkLedger::note_dropped(ChunkAccount& account, const QueuedMessage& dropped, DropReason reason) {
  if (!dropped.audio) return;
  ++account.dropped;
  const auto update = metrics_.atomic_update();
  this->dropped(reason).add();
  add_queued(account, -1);
  if (reason != DropReason::kDisconnect) observe_loss(dropped.due_ns, clock_.now_ns());
  assert(balanced());
}

void ChunkLedger::note_lost(ChunkAccount& account, std::int64_t seq, std::int64_t due_ns) {
  const auto update = metrics_.atomic_update();
  fall_due(account, seq, due_ns);
  ++account.dropped;
  dropped(DropReason::kEncoding).add();
  observe_loss(due_ns, clock_.now_ns());
  assert(balanced());
}

void ChunkLedger::note_end(ChunkAccount& account) {
  if (account.last_due_ns == 0 || account.chunk_ns == 0) return;
  const std::int64_t late_ns = clock_.now_ns() - account.last_due_ns;
  if (late_ns < account.chunk_ns) return;
  const auto update = metrics_.atomic_update();
  drop_missed(account, late_ns / account.chunk_ns, DropReason::kDisconnect);
  assert(balanced());
}

// The chunk, and those before it that were not offered. Due times tell how many, because a new timeline
// numbers its chunks from the beginning; only chunks of the past have none.
void ChunkLedger::fall_due(ChunkAccount& account, std::int64_t seq, std::int64_t due_ns) {
  std::int64_t missed = 0;
  if (account.last_due_ns != 0 && due_ns != 0 && account.chunk_ns > 0) {
    missed = (due_ns - account.last_due_ns + account.chunk_ns / 2) / account.chunk_ns - 1;
  } else if (account.last_seq >= 0) {
    missed = seq - account.last_seq - 1;
  }
  if (missed > 0) {
    drop_missed(account, missed, DropReason::kOverrun);
    if (due_ns != 0) observe_losses(due_ns - account.chunk_ns, account.chunk_ns, missed);
  }
  account.last_seq = seq;
  account.last_due_ns = due_ns;
  metrics_.chunks_due.add();
}

void ChunkLedger::drop_missed(ChunkAccount& account, std::int64_t count, DropReason reason) {
  account.dropped += static_cast<std::uint64_t>(count);
  metrics_.chunks_due.add(static_cast<double>(count));
  dropped(reason).add(static_cast<double>(count));
}

// Ages of `count` chunks, the newest of which was due at `due_ns`. Beyond the histogram's bounds one stands
// for many: a machine may have slept for hours.
void ChunkLedger::observe_losses(std::int64_t due_ns, std::int64_t chunk_ns, std::int64_t count) {
  constexpr std::int64_t kMostApart = 1'000;
  const std::int64_t now_ns = clock_.now_ns();
  const std::int64_t apart = std::min(count, kMostApart);
  for (std::int64_t i = 0; i < apart; ++i) observe_loss(due_ns - i * chunk_ns, now_ns);
  const std::int64_t others = count - apart;
  if (others == 0) return;
  const std::int64_t middle_ns = due_ns - (apart + others / 2) * chunk_ns;
  metrics_.delivery_latency_ms.observe(to_ms(now_ns - middle_ns), others);
}

void ChunkLedger::observe_loss(std::int64_t due_ns, std::int64_t now_ns) {
  if (due_ns != 0) metrics_.delivery_latency_ms.observe(to_ms(now_ns - due_ns));
}

void ChunkLedger::observe_handover(std::int64_t due_ns, std::int64_t now_ns) {
  if (due_ns != 0) metrics_.handover_latency_ms.observe(to_ms(now_ns - due_ns));
}

void ChunkLedger::add_queued(ChunkAccount& account, int change) {
  assert(change > 0 || account.queued > 0);
  account.queued += static_cast<std::uint64_t>(change);
  queued_ += change;
  metrics_.chunks_queued.set(queued_);
}

void ChunkLedger::add_sent(ChunkAccount& account, const AudioMessage& audio, std::int64_t due_ns,
                           std::int64_t now_ns) {
  metrics_.chunks_sent.add();
  if (account.sent++ == 0) metrics_.startup_latency_ms.observe(to_ms(now_ns - account.accepted_ns));
  if (due_ns == 0 || now_ns - due_ns <= kOnTimeNs) metrics_.chunks_on_time.add();
  if (due_ns == 0) return;  // a chunk of the past was due before the listener came
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
