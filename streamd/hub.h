// SPDX-License-Identifier: MIT
// The listeners: a bounded queue of references to shared messages for each, one message on its way at a time,
// and the books: every chunk that was queued to a listener is sent, dropped (by reason) or queued, at every
// moment.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
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

  // A listener of that station has come; it gets the phase that fewest have.
  void add(ConnectionId id, WireFormat format, const StationPlace& station);

  // What a listener hears; nothing where there is no such listener.
  std::optional<StationPlace> station_of(ConnectionId id) const;
  std::size_t listeners_of(const StationPlace& station) const;
  // Those that have listeners.
  std::vector<StationPlace> stations() const;

  // Of a listener that is there.
  WireFormat format_of(ConnectionId id) const { return listeners_.at(id).format; }
  std::uint32_t phase_of(ConnectionId id) const { return listeners_.at(id).phase; }

  // The station has another place.
  void move(const StationPlace& from, const StationPlace& to);

  // Queues past chunks to a listener; from now on it is delivered to.
  void prefill(ConnectionId id, const std::vector<OutgoingChunkPtr>& chunks);

  // Queues each station's chunk to its listeners of a phase; `chunk_of` tells it, null where there is none,
  // and `due_ns` is the moment when it was due to them. Listeners are told where it is silence.
  using ChunkOf = std::function<OutgoingChunkPtr(const StationPlace&)>;
  void deliver(const ChunkOf& chunk_of, std::uint32_t phase, std::int64_t due_ns);

  // Queues a JSON message to one listener, or to all of a station. A listener that lets more than kMaxTexts
  // pile up loses the rest.
  void send_text(ConnectionId id, const WireMessagePtr& message);
  void send_text(const StationPlace& station, const WireMessagePtr& message);

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
  void close_all_of(const StationPlace& station, std::uint16_t code, std::string_view reason);

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
    StationPlace station;
    bool begun = false;  // it is delivered to
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
  void count_listener(const StationPlace& station, int change);
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
  std::map<std::pair<std::size_t, std::uint64_t>, std::size_t> station_counts_;  // by place and tenancy
  std::vector<std::size_t> phase_counts_ = std::vector<std::size_t>(1);
  double queued_ = 0;
};

}  // namespace auralis
