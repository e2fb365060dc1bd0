// SPDX-License-Identifier: MIT
// The books of one worker: the only writer of the metrics of chunks due, sent, dropped by reason and queued,
// and of when they were sent. From its first chunk on, each chunk of the timeline falls due to a listener,
// whether or not it is offered one: at every moment, in total and for each listener, every chunk due is sent,
// dropped or queued. Each function here keeps it so, in one atomic update of the metrics.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/clock.h"
#include "streamd/delivery/listener_queue.h"
#include "streamd/stream_metrics.h"

namespace auralis {

// Why a chunk that was due to a listener is not sent; a label of websocket_chunks_dropped_total.
enum class DropReason {
  kBacklog,     // the listener took too little
  kStepDown,    // it waited while its listener was switched to Opus
  kDisconnect,  // the listener left
  kError,       // the connection broke while it was sent
  kEncoding,    // it was not encoded in time
  kOverrun,     // streamd skipped it, because it had not run in time
};

// Chunks that were due to one listener, and their outcomes. Changed by ChunkLedger alone.
struct ChunkAccount {
  std::uint64_t sent = 0;
  std::uint64_t queued = 0;  // wait or are in flight
  std::uint64_t dropped = 0;
  std::uint64_t bytes = 0;             // of all messages that the kernel took whole, with framing
  std::int64_t accepted_ns = 0;        // when the listener connected
  std::int64_t last_live_sent_ns = 0;  // 0: no live chunk was sent yet
  // Of the newest chunk offered: its number, -1 before the first; when it was due to this listener, 0 for a
  // chunk of the past unless note_begin() told; its duration.
  std::int64_t last_seq = -1;
  std::int64_t last_due_ns = 0;
  std::int64_t chunk_ns = 0;
};

// One thread, the worker's.
class ChunkLedger {
 public:
  // `clock` and `metrics` outlive it. Settles the books of a former streamd that was killed: what it had
  // queued is dropped.
  ChunkLedger(const Clock& clock, StreamMetrics& metrics);

  // The next chunk is offered to the listener, and queued or, below, taken by the kernel at once. `due_ns`: 0
  // for a chunk of the past. Chunks that fell due since the last one was offered were skipped: kOverrun.
  void note_queued(ChunkAccount& account, const AudioMessage& audio, std::int64_t due_ns);
  void note_sent_at_once(ChunkAccount& account, const AudioMessage& audio, std::int64_t due_ns);
  // The kernel took a message that was queued: a chunk, or a text message.
  void note_sent(ChunkAccount& account, const QueuedMessage& sent);
  // A message that was queued is not sent. Text messages are in no book.
  void note_dropped(ChunkAccount& account, const QueuedMessage& dropped, DropReason reason);
  // The newest chunk offered, of the past, was due to this listener at `due_ns`: those after it count from
  // there.
  void note_begin(ChunkAccount& account, std::int64_t due_ns) { account.last_due_ns = due_ns; }
  // The next chunk is due, and could not be encoded in time: it is dropped.
  void note_lost(ChunkAccount& account, std::int64_t seq, std::int64_t due_ns);
  // The listener leaves: chunks that fell due and were not offered yet are dropped.
  void note_end(ChunkAccount& account);

 private:
  void fall_due(ChunkAccount& account, std::int64_t seq, std::int64_t due_ns);
  void drop_missed(ChunkAccount& account, std::int64_t count, DropReason reason);
  void observe_losses(std::int64_t due_ns, std::int64_t chunk_ns, std::int64_t count);
  void observe_loss(std::int64_t due_ns, std::int64_t now_ns);
  void observe_handover(std::int64_t due_ns, std::int64_t now_ns);
  void add_queued(ChunkAccount& account, int change);
  void add_sent(ChunkAccount& account, const AudioMessage& audio, std::int64_t due_ns, std::int64_t now_ns);
  void observe_interval(ChunkAccount& account, std::int64_t duration_ns, std::int64_t now_ns);
  Counter& dropped(DropReason reason);
  double settled() const;
  bool balanced() const;

  const Clock& clock_;
  StreamMetrics& metrics_;
  double queued_ = 0;
};

}  // namespace auralis
