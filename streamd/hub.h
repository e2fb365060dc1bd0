// SPDX-License-Identifier: MIT
// The listeners: a bounded queue of references to shared messages for each, one message on its way at a time,
// and the books: every chunk that was queued to a listener is sent, dropped (by reason) or queued, at every
// moment.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/clock.h"
#include "streamd/chunk_pump.h"
#include "streamd/frame.h"
#include "streamd/stream_metrics.h"
#include "streamd/transport.h"

namespace auralis {

struct HubLimits {
  std::size_t listeners = 1'000;
  std::int64_t backlog_ns = 2'000'000'000;  // age at which a queued chunk is dropped
};

// One thread, streamd's network thread. All references outlive it.
class Hub {
 public:
  Hub(const Clock& clock, StreamMetrics& metrics, Transport& transport, const HubLimits& limits);

  // Whether there is room for one more beside `coming` others.
  bool has_room(std::size_t coming) const { return listeners_.size() + coming < limits_.listeners; }
  std::size_t size() const { return listeners_.size(); }

  // Deals all listeners out over this many phases; one at first.
  void set_phases(std::uint32_t phases);
  std::uint32_t phases() const { return static_cast<std::uint32_t>(phase_counts_.size()); }

  // A listener has come: gives it the phase that fewest have, and returns it.
  std::uint32_t add(ConnectionId id, WireFormat format);

  // Queues past chunks to a listener that has just come.
  void prefill(ConnectionId id, const std::vector<OutgoingChunkPtr>& chunks);

  // Queues a chunk to the listeners of a phase; `due_ns` is the moment when it was due to them. Listeners are
  // told where it is silence.
  void deliver(const OutgoingChunkPtr& chunk, std::uint32_t phase, std::int64_t due_ns);

  // Queues a JSON message to one listener, or to all. A listener that lets more than kMaxTexts pile up loses
  // the rest.
  void send_text(ConnectionId id, const WireMessagePtr& message);
  void send_text_to_all(const WireMessagePtr& message);

  // From the network: the message on its way was taken by the kernel (`bytes` with framing), failed, or never
  // will be.
  void written(ConnectionId id, std::size_t bytes);
  void write_failed(ConnectionId id);
  void removed(ConnectionId id);

  // Notes what a player reported; false if it reports more than once a second.
  bool report_playback(ConnectionId id, double latency_ms);

  // Closes listeners that take nothing any more. About once a second.
  void close_stalled();
  void close_all(std::uint16_t code, std::string_view reason);

  static constexpr std::size_t kMaxTexts = 64;

 private:
  struct Outgoing {
    WireMessagePtr message;
    OutgoingChunkPtr chunk;   // null for a text message
    std::int64_t due_ns = 0;  // of a live chunk; 0 for one of the past
    std::int64_t queued_ns = 0;
  };
  struct Listener {
    WireFormat format = WireFormat::kJson;
    std::uint32_t phase = 0;
    std::int64_t accepted_ns = 0;
    std::deque<Outgoing> queue;
    std::optional<Outgoing> on_its_way;
    std::int64_t handed_ns = 0;
    std::size_t texts_queued = 0;
    bool heard_audio = false;
    std::int64_t last_live_sent_ns = 0;
    std::int64_t last_report_ns = 0;
    bool closing = false;
  };

  std::uint32_t take_phase();
  void push(ConnectionId id, Listener& listener, Outgoing outgoing);
  void hand_over(ConnectionId id, Listener& listener);
  void apply_policy(ConnectionId id, Listener& listener);
  void skip_oldest_chunk(ConnectionId id, Listener& listener);
  void close(ConnectionId id, Listener& listener, std::uint16_t code, std::string_view reason);
  void drop(const Outgoing& outgoing, Counter& reason);
  void note_sent(Listener& listener, const Outgoing& outgoing);
  void note_queued(double change);

  const Clock& clock_;
  StreamMetrics& metrics_;
  Transport& transport_;
  HubLimits limits_;
  std::unordered_map<ConnectionId, Listener> listeners_;
  std::vector<std::size_t> phase_counts_ = std::vector<std::size_t>(1);
  double queued_ = 0;
};

}  // namespace auralis
