// SPDX-License-Identifier: MIT
// The listeners of one worker and their bounded send queues: hands each chunk to the listeners of its phase,
// station and format, watches that they live, and reports on them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/base/process_time.h"
#include "common/base/thread_checker.h"
#include "streamd/api/messages.h"
#include "streamd/delivery/backlog_policy.h"
#include "streamd/delivery/chunk_ledger.h"
#include "streamd/delivery/delivery.h"
#include "streamd/delivery/listener_sender.h"
#include "streamd/delivery/liveness.h"
#include "streamd/delivery/report_limiter.h"
#include "streamd/delivery/transport.h"
#include "streamd/stream_metrics.h"

namespace auralis {

// One thread, the worker's, but for construction and destruction. All references outlive it. A function that
// names a connection without a listener does nothing.
class SendQueues {
 public:
  // `process_time` measures for how long listeners give no sign of life, take nothing and let chunks wait.
  // `idle_ns`: without a sign of life for so long, a listener is closed. `step_down` asks for a listener to
  // be sent Opus instead of PCM: set_format() follows.
  SendQueues(const Clock& clock, const ProcessTime& process_time, StreamMetrics& metrics,
             Transport& transport, const BacklogLimits& limits, std::int64_t idle_ns,
             std::function<void(ConnectionId)> step_down);

  std::size_t size() const { return listeners_.size(); }
  // Adds a listener, a new one. `sink` stays valid until removed(). `offered_opus`: the listener may be
  // stepped down from PCM to Opus.
  void add(ConnectionId id, MessageSink& sink, WireFormat format, bool offered_opus);
  // Starts delivery in `initial.phase`, after sending `initial.messages` and `initial.past`.
  void begin(ConnectionId id, const InitialDelivery& initial);
  // Delivers another station from the next chunk on.
  void switch_station(ConnectionId id, const StationId& station);
  // Delivers `to` to all listeners of `from`, from the next chunk on.
  void move(const StationId& from, const StationId& to);
  // Delivers in another format from the next chunk on; `stepped_down`: the listener is warned that it was too
  // slow.
  void set_format(ConnectionId id, WireFormat format, bool stepped_down);

  // Sends the stations' chunks to their listeners of that phase, with a warning before silence.
  void deliver(const Delivery& delivery);

  // Sends a JSON message to one listener, or to all of a station; nothing over plain HTTP. Messages beyond
  // kMaxTexts that wait for a listener are dropped.
  void send_text(ConnectionId id, const WireMessagePtr& message);
  void send_text(const StationId& station, const WireMessagePtr& message);
  void send_text_to_all(const WireMessagePtr& message);

  // Drops the chunks that wait.
  void flush(ConnectionId id);
  // Sets the age up to which chunks may wait; at most the limit that all listeners have.
  void set_max_backlog(ConnectionId id, std::int64_t age_ns);
  // Nothing if there is no such listener.
  std::optional<BufferStatus> status(ConnectionId id) const;
  // The station that is delivered; none before begin().
  StationId station_of(ConnectionId id) const;
  // Bytes sent, with framing.
  std::uint64_t bytes_of(ConnectionId id) const;

  // From the network, as of ConnectionEvents.
  void progressed(ConnectionId id);
  void written(ConnectionId id);
  void write_failed(ConnectionId id);
  void removed(ConnectionId id);
  // Notes a sign of life, and the round trip if the sign answers a ping.
  void alive(ConnectionId id, std::optional<std::int64_t> round_trip_ns);

  // Observes the end-to-end latency that a player reports; false if it reports more than once a second.
  // Reports that piled up while the process did not run are discarded: true.
  bool report_playback(ConnectionId id, double latency_ms);

  // Closes listeners that take nothing any more or give no sign of life, and pings. About once a second.
  void check_timeouts();
  void close(ConnectionId id, std::uint16_t code, std::string_view reason);
  void close_all_of(const StationId& station, std::uint16_t code, std::string_view reason);
  void close_all_in(WireFormat format, std::uint16_t code, std::string_view reason);
  std::vector<ConnectionId> ids() const;

  static constexpr std::size_t kMaxTexts = ListenerQueue::kMaxTexts;
  static constexpr std::int64_t kStatusIntervalNs = 5 * kNsPerSecond;

 private:
  struct Listener {
    Listener(const SendContext& context, ConnectionId id, MessageSink& sink, WireFormat format,
             bool offered_opus);

    std::int64_t last_status_ns;  // beside the first members of `sender`, which each chunk touches, too
    ListenerSender sender;
    Liveness liveness;
    ReportLimiter reports;
    std::optional<std::uint32_t> phase;  // since begin()
  };

  Listener* find(ConnectionId id);
  const Listener* find(ConnectionId id) const;
  void deliver_to(Listener& listener, const StationAudio& station, std::int64_t due_ns,
                  WireMessagePtr& warning);
  void send_status_if_due(Listener& listener);
  void check_liveness(Listener& listener, std::int64_t now_ns);
  void leave_phase(Listener& listener);
  BufferStatus status_of(const Listener& listener) const;

  const Clock& clock_;
  const ProcessTime& process_time_;
  StreamMetrics& metrics_;
  Transport& transport_;
  BacklogLimits limits_;
  std::int64_t idle_ns_;
  std::function<void(ConnectionId)> step_down_;
  ChunkLedger ledger_;
  SendContext context_;
  std::unordered_map<ConnectionId, Listener> listeners_;
  std::array<std::vector<Listener*>, kPhases> phases_;
  ThreadChecker thread_;
};

}  // namespace auralis
