// SPDX-License-Identifier: MIT
// The listeners of one worker and their bounded send queues: hands each chunk to the listeners of its phase,
// station and format, watches that they live, and reports on them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
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

// One thread, the worker's, except construction and destruction. All references outlive it.
class SendQueues {
 public:
  // `process_time` measures for how long listeners give no sign of life, take nothing and let chunks wait.
  // `idle_ns`: a listener is closed after this time without a sign of life. `step_down` asks for a listener
  // to be sent Opus instead of PCM: set_format() follows.
  SendQueues(const Clock& clock, const ProcessTime& process_time, StreamMetrics& metrics,
             Transport& transport, const BacklogLimits& limits, std::int64_t idle_ns,
             std::function<void(ConnectionId)> step_down);
  // Takes out the listeners that are left. What they have queued stays in the books for the next streamd.
  ~SendQueues();
  SendQueues(const SendQueues&) = delete;
  SendQueues& operator=(const SendQueues&) = delete;

  // State that these queues keep of one listener. Belongs to the caller, who keeps it where it is from add()
  // until remove() or the end of the queues; that it is destroyed later than that is asserted.
  class Listener {
   public:
    // `sink` stays valid until remove(). `offered_opus`: the listener may be stepped down from PCM to Opus.
    Listener(const SendQueues& queues, ConnectionId id, MessageSink& sink, WireFormat format,
             bool offered_opus);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    ConnectionId id() const { return sender_.id(); }
    // Of the next chunk.
    WireFormat format() const { return sender_.format(); }
    // The station that is delivered; none before begin().
    const StationId& station() const { return sender_.station(); }
    // With framing.
    std::uint64_t bytes_sent() const { return sender_.bytes_sent(); }
    std::uint64_t chunks_sent() const { return sender_.chunks_sent(); }
    std::uint64_t chunks_dropped() const { return sender_.chunks_dropped(); }
    BufferStatus status() const;
    // The newest that its player sent; none before the first.
    const std::optional<PlaybackReport>& playback() const { return playback_; }

   private:
    friend class SendQueues;

    std::int64_t last_status_ns_;  // beside the first members of `sender_`, which each chunk touches, too
    std::int64_t lead_ = 0;
    ListenerSender sender_;
    Liveness liveness_;
    ReportLimiter reports_;
    std::optional<PlaybackReport> playback_;
    std::optional<std::uint32_t> phase_;  // since begin()
    std::optional<std::size_t> index_;    // in `listeners_`, from add() on
  };

  // Adds a listener, made for these queues. All functions below take one that is added.
  void add(Listener& listener);
  // Books what the listener has queued as dropped: its connection is closed. Returns why; `end` says so where
  // streamd did not close it.
  DisconnectReason remove(Listener& listener, ConnectionEnd end);
  // In no order. Valid until the next add() or remove().
  const std::vector<Listener*>& listeners() const { return listeners_; }

  // Starts delivery in `initial.phase`, after sending `initial.messages` and `initial.prefill`.
  void begin(Listener& listener, const InitialDelivery& initial);
  // Delivers another station from the next chunk on.
  void switch_station(Listener& listener, const StationId& station);
  // Delivers `to` to all listeners of `from`, from the next chunk on.
  void move(const StationId& from, const StationId& to);
  // Delivers in another format from the next chunk on; `stepped_down`: the listener is warned that it was too
  // slow.
  void set_format(Listener& listener, WireFormat format, bool stepped_down);

  // Sends the stations' chunks to their listeners of that phase and lead, with a warning before silence.
  void deliver(const Delivery& delivery);

  // Sends a JSON message to one listener, or to all of a station; nothing over plain HTTP. Messages beyond
  // kMaxTexts that wait for a listener are dropped.
  void send_text(Listener& listener, const WireMessagePtr& message);
  void send_text(const StationId& station, const WireMessagePtr& message);
  void send_text_to_all(const WireMessagePtr& message);

  // Drops the chunks that wait.
  void flush(Listener& listener);
  // Sets the age up to which chunks may wait; at most the limit that all listeners have.
  void set_max_backlog(Listener& listener, std::int64_t age_ns);

  // From the network, as of ConnectionEvents.
  void progressed(Listener& listener);
  void written(Listener& listener);
  void write_failed(Listener& listener);
  // Notes a sign of life, and the round trip if the sign answers a ping.
  void alive(Listener& listener, std::optional<std::int64_t> round_trip_ns);

  // Counts what a player reports; false, and counts nothing, if it reports more than once a second. Of
  // reports that piled up while the process did not run only the events count. Values are clipped, so that
  // one player cannot own a metric: times at kMostReportedMs, events at kMostReportedEvents.
  bool report_playback(Listener& listener, const PlaybackReport& report);

  // Closes listeners that take nothing any more or give no sign of life, and pings. About once a second.
  void check_timeouts();
  void close(Listener& listener, std::uint16_t code, std::string_view reason);
  void close_all_of(const StationId& station, std::uint16_t code, std::string_view reason);
  void close_all_in(WireFormat format, std::uint16_t code, std::string_view reason);

  static constexpr std::size_t kMaxTexts = ListenerQueue::kMaxTexts;
  static constexpr std::int64_t kBehindNs = 500 * kNsPerMs;  // auralis_listeners_behind
  static constexpr std::int64_t kStatusIntervalNs = 5 * kNsPerSecond;
  static constexpr double kMostReportedMs = 10'000;
  static constexpr double kMostReportedEvents = 250;  // chunks of 20 ms between two reports of our player

 private:
  bool has(const Listener& listener) const;
  // The warning of a chunk, the same for all its listeners.
  struct Warning {
    std::int64_t seq = -1;
    WireMessagePtr message;
  };
  void deliver_to(Listener& listener, const StationAudio& station, std::int64_t due_ns, Warning& warning);
  void send_status_if_due(Listener& listener);
  void check_liveness(Listener& listener, std::int64_t now_ns);
  void remove_from_phase(Listener& listener);

  const Clock& clock_;
  const ProcessTime& process_time_;
  StreamMetrics& metrics_;
  Transport& transport_;
  BacklogLimits limits_;
  std::int64_t idle_ns_;
  std::function<void(ConnectionId)> step_down_;
  ChunkLedger ledger_;
  SendContext context_;
  std::vector<Listener*> listeners_;
  std::array<std::vector<Listener*>, kPhases> phases_;
  ThreadChecker thread_;
};

}  // namespace auralis
