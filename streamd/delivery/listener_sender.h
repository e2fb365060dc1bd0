// SPDX-License-Identifier: MIT
// Sends one listener its chunks and text messages: straight to the kernel if nothing waits, else through the
// listener's queue, one message in flight at a time. A slow listener is skipped, stepped down or closed here,
// as the backlog policy says, and every chunk is booked.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "common/base/process_time.h"
#include "streamd/api/messages.h"
#include "streamd/delivery/chunk_ledger.h"
#include "streamd/delivery/listener_queue.h"
#include "streamd/delivery/transport.h"

namespace auralis {

// State that the listeners of a worker share. Outlives them.
struct SendContext {
  const Clock& clock;
  const ProcessTime& process_time;
  StreamMetrics& metrics;
  ChunkLedger& ledger;
  Transport& transport;
  const BacklogLimits& limits;
  // Asks for a listener to be sent Opus instead of PCM; ListenerSender::set_format follows.
  const std::function<void(ConnectionId)>& step_down;
};

// One thread, the worker's.
class ListenerSender {
 public:
  // `sink` outlives it. `offered_opus`: the listener may be stepped down from PCM to Opus.
  ListenerSender(const SendContext& context, ConnectionId id, MessageSink& sink, WireFormat format,
                 bool offered_opus);

  ConnectionId id() const { return id_; }
  const MessageSink* sink() const { return sink_; }
  WireFormat format() const { return format_; }
  // True once the connection is being closed: nothing is sent any more.
  bool closing() const { return end_.has_value(); }
  // Why streamd closes the connection; nothing if it does not.
  std::optional<DisconnectReason> end() const { return end_; }
  const StationId& station() const { return station_; }
  void set_station(const StationId& station) { station_ = station; }
  void set_format(WireFormat format) {
    format_ = format;
    stepping_down_ = false;
  }
  void set_max_backlog(std::int64_t age_ns) { queue_.set_max_age(age_ns); }

  // Sends a live chunk.
  void send_chunk(const AudioMessagePtr& audio, std::int64_t due_ns);
  // Sends what comes before the first live chunk, to listeners over plain HTTP, too.
  void send_initial(const WireMessagePtr& message);
  void send_past(const AudioMessagePtr& audio);
  // Books a chunk that was due and could not be encoded in time, and warns the listener of the gap.
  void lose_chunk(std::int64_t seq, std::int64_t due_ns);
  // The newest past chunk was due at `due_ns`.
  void begin_at(std::int64_t due_ns) { context_->ledger.note_begin(account_, due_ns); }
  // True if a chunk that was due at `due_ns` or later was offered.
  bool has(std::int64_t due_ns) const { return due_ns <= account_.last_due_ns; }
  // Sends a text message; nothing over plain HTTP, or if ListenerQueue::kMaxTexts wait.
  void send_text(const WireMessagePtr& message);
  // Tells the listener of its format from the next chunk on, since it was too slow for the former one.
  void announce_step_down();

  // Drops the chunks that wait.
  void flush();
  // Drops all that waits or is in flight: the connection is closed.
  void drop_all();
  // Skips chunks that have waited for too long, steps the listener down or closes it.
  void apply_policy();
  void close(std::uint16_t code, std::string_view reason);

  // From the network, as of ConnectionEvents.
  void progressed() { queue_.progressed(context_->process_time.now_ns()); }
  void written();
  void write_failed();

  // The length of `lead` chunks.
  double lead_ms(std::int64_t lead) const { return static_cast<double>(lead * account_.chunk_ns) / kNsPerMs; }
  // For how long its oldest chunk has waited.
  std::int64_t backlog_ns() const;
  // All but the round trip.
  BufferStatus status() const;
  std::uint64_t bytes_sent() const { return account_.bytes; }
  std::uint64_t chunks_sent() const { return account_.sent; }
  std::uint64_t chunks_dropped() const { return account_.dropped; }

 private:
  bool send_at_once(const AudioMessagePtr& audio, std::int64_t due_ns);
  void push(QueuedMessage message);
  void send_waiting();
  void skip_oldest_chunk();
  bool can_step_down() const;
  bool books_match() const { return account_.queued == queue_.chunks(); }

  // Members that each chunk touches, side by side: of thousands of listeners none is in the processor's cache
  // when its chunk is due.
  const SendContext* context_;
  MessageSink* sink_;
  StationId station_;
  WireFormat format_;
  std::optional<DisconnectReason> end_;
  bool offered_opus_;
  bool stepping_down_ = false;  // asked for, and not yet in force
  ChunkAccount account_;
  ListenerQueue queue_;

  ConnectionId id_;
};

}  // namespace auralis
