// SPDX-License-Identifier: MIT
// The books of one worker: the only writer of the metrics of chunks offered, sent, dropped by reason and
// queued, and of when they were sent. At every moment, in total and for each listener, every chunk offered is
// sent, dropped or queued; each function here keeps it so, in one atomic update of the metrics.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/clock.h"
#include "streamd/delivery/listener_queue.h"
#include "streamd/stream_metrics.h"

namespace auralis {

// Why a chunk that was offered to a listener is not sent; a label of websocket_chunks_dropped_total.
enum class DropReason { kBacklog, kDisconnect, kError, kEncoding };

// What one listener was offered, and what became of it. Changed by ChunkLedger alone.
struct ChunkAccount {
  std::uint64_t sent = 0;
  std::uint64_t queued = 0;  // wait or are in flight
  std::uint64_t dropped = 0;
  std::uint64_t bytes = 0;             // of all messages that the kernel took whole, with framing
  std::int64_t accepted_ns = 0;        // when the listener connected
  std::int64_t last_live_sent_ns = 0;  // 0: no live chunk was sent yet
};

// One thread, the worker's.
class ChunkLedger {
 public:
  // `clock` and `metrics` outlive it. Settles the books of a former streamd that was killed: what it had
  // queued is dropped.
  ChunkLedger(const Clock& clock, StreamMetrics& metrics);

  // A chunk is offered to the listener and queued.
  void note_queued(ChunkAccount& account);
  // A chunk is offered, and the kernel took it at once. `due_ns`: 0 for a chunk of the past.
  void note_sent_at_once(ChunkAccount& account, const AudioMessage& audio, std::int64_t due_ns);
  // The kernel took a message that was queued: a chunk, or a text message.
  void note_sent(ChunkAccount& account, const QueuedMessage& sent);
  // A message that was queued is not sent. Text messages are in no book.
  void note_dropped(ChunkAccount& account, const QueuedMessage& dropped, DropReason reason);
  // A chunk is offered that could not be encoded in time: it is dropped, and its age observed.
  void note_lost(ChunkAccount& account, std::int64_t due_ns);

 private:
  void add_queued(ChunkAccount& account, int change);
  void add_sent(ChunkAccount& account, const AudioMessage& audio, std::int64_t due_ns);
  void observe_interval(ChunkAccount& account, std::int64_t duration_ns, std::int64_t now_ns);
  Counter& dropped(DropReason reason);
  double settled() const;
  bool balanced() const;

  const Clock& clock_;
  StreamMetrics& metrics_;
  double queued_ = 0;
};

}  // namespace auralis
