// SPDX-License-Identifier: MIT
// The listeners of one worker: a bounded queue of references to shared messages for each, one message on its
// way at a time, and the books: every chunk that was queued to a listener is sent, dropped (by reason) or
// queued, at every moment.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/base/process_time.h"
#include "streamd/api/messages.h"
#include "streamd/delivery/backlog_policy.h"
#include "streamd/delivery/delivery.h"
#include "streamd/delivery/transport.h"
#include "streamd/stream_metrics.h"

namespace auralis {

// One thread, the worker's. All references outlive it.
class SendQueues {
 public:
  // Listeners are judged by `process_time`: for how long they give no sign of life, take nothing, and let
  // chunks wait. `step_down` is asked to have a listener sent Opus instead of PCM: set_format() follows.
  SendQueues(const Clock& clock, const ProcessTime& process_time, StreamMetrics& metrics,
             Transport& transport, const BacklogLimits& limits, std::int64_t idle_ns,
             std::function<void(ConnectionId)> step_down);

  std::size_t size() const { return listeners_.size(); }
  // A listener has come, and is sent to by `sink`, which stays until removed(). It may be stepped down from
  // PCM to Opus if it `offered_opus`.
  void add(ConnectionId id, MessageSink& sink, WireFormat format, bool offered_opus);
  // It is delivered to.
  void begin(ConnectionId id, const InitialDelivery& welcome);
  // It hears another station from its next chunk on.
  void switch_station(ConnectionId id, const StationId& station);
  // All who hear `from` hear `to` from the next chunk on.
  void move(const StationId& from, const StationId& to);
  // It is sent another format from its next chunk on; `stepped_down`: it is told that it was too slow.
  void set_format(ConnectionId id, WireFormat format, bool stepped_down);

  // Queues the stations' chunks to their listeners of that phase, who are told where it is silence.
  void deliver(const Delivery& delivery);

  // Queues a JSON message to one listener, or to all of a station; nothing over plain HTTP. A listener that
  // lets more than kMaxTexts pile up loses the rest.
  void send_text(ConnectionId id, const WireMessagePtr& message);
  void send_text(const StationId& station, const WireMessagePtr& message);
  void send_text_to_all(const WireMessagePtr& message);

  // What is queued is dropped.
  void flush(ConnectionId id);
  // How old it lets chunks become, at most as old as all are allowed.
  void set_max_backlog(ConnectionId id, std::int64_t age_ns);
  // How a listener stands; nothing where there is none.
  std::optional<BufferStatus> status(ConnectionId id) const;
  StationId station_of(ConnectionId id) const;
  // What it was sent, with framing.
  std::uint64_t bytes_of(ConnectionId id) const;

  // From the network, as of ConnectionEvents.
  void progressed(ConnectionId id);
  void written(ConnectionId id);
  void write_failed(ConnectionId id);
  void removed(ConnectionId id);
  // It gave a sign of life.
  void alive(ConnectionId id, std::optional<std::int64_t> round_trip_ns);

  // Notes what a player reported; false if it reports more than once a second. Reports that piled up while
  // the process did not run are taken, and not noted.
  bool report_playback(ConnectionId id, double latency_ms);

  // Closes listeners that take nothing any more or give no sign of life, and pings. About once a second.
  void check_timeouts();
  void close(ConnectionId id, std::uint16_t code, std::string_view reason);
  void close_all_of(const StationId& station, std::uint16_t code, std::string_view reason);
  void close_all_in(WireFormat format, std::uint16_t code, std::string_view reason);
  std::vector<ConnectionId> ids() const;

  static constexpr std::size_t kMaxTexts = 64;
  static constexpr std::int64_t kStatusIntervalNs = 5 * kNsPerSecond;

 private:
  struct Outgoing {
    WireMessagePtr message;
    AudioMessagePtr audio;       // null for a text message
    std::int64_t due_ns = 0;     // of a live chunk; 0 for one of the past
    std::int64_t queued_ns = 0;  // process time
  };
  struct Listener {
    // What each chunk touches, side by side: of thousands of listeners none is in the processor's cache by
    // then.
    MessageSink* sink = nullptr;
    StationId station;
    WireFormat format = WireFormat::kJson;
    bool closing = false;
    bool heard_audio = false;
    bool offered_opus = false;
    bool steps_down = false;  // asked for, and not yet in force
    std::int64_t last_status_ns = 0;
    std::int64_t last_live_sent_ns = 0;
    std::int64_t last_seq = -1;  // of the chunk that was queued last
    std::uint64_t sent = 0;
    std::uint64_t bytes = 0;
    std::size_t queued_bytes = 0;  // that wait, or are on their way
    std::optional<Outgoing> on_its_way;

    std::deque<Outgoing> queue;
    std::int64_t progress_ns = 0;   // process time at which the kernel last took some of what is on its way
    std::size_t queued_chunks = 0;  // that wait
    std::size_t texts_queued = 0;
    std::uint64_t dropped = 0;
    std::int64_t max_age_ns = 0;
    std::int64_t accepted_ns = 0;
    std::int64_t last_report_ns = 0;
    std::int64_t absent_ns = 0;      // of the process, up to the last report
    std::int64_t last_ping_ns = 0;   // process time
    std::int64_t last_alive_ns = 0;  // process time
    std::optional<std::int64_t> round_trip_ns;
    std::optional<std::uint32_t> phase;  // once it is delivered to
    ConnectionId id = 0;
  };

  Listener* find(ConnectionId id);
  const Listener* find(ConnectionId id) const;
  void deliver_to(Listener& listener, const AudioMessagePtr& audio, std::int64_t due_ns);
  void lose(Listener& listener, std::int64_t seq, std::int64_t due_ns);
  void send_text(Listener& listener, const WireMessagePtr& message);
  void push(Listener& listener, Outgoing outgoing);
  bool send_at_once(Listener& listener, const AudioMessagePtr& audio, std::int64_t due_ns);
  void hand_over(Listener& listener);
  void apply_policy(Listener& listener);
  Backlog backlog_of(const Listener& listener, std::int64_t now_ns) const;
  void skip_oldest_chunk(Listener& listener);
  void close(Listener& listener, std::uint16_t code, std::string_view reason);
  void drop(Listener& listener, const Outgoing& outgoing, Counter& reason);
  void note_sent(Listener& listener, const Outgoing& outgoing);
  void note_audio_sent(Listener& listener, const AudioMessage& audio, std::int64_t due_ns);
  void note_queued(double change);
  void leave_phase(Listener& listener);
  BufferStatus status_of(const Listener& listener) const;

  const Clock& clock_;
  const ProcessTime& process_time_;
  StreamMetrics& metrics_;
  Transport& transport_;
  BacklogLimits limits_;
  std::int64_t idle_ns_;
  std::function<void(ConnectionId)> step_down_;
  std::unordered_map<ConnectionId, Listener> listeners_;
  std::array<std::vector<Listener*>, kPhases> phases_;
  double queued_ = 0;
};

}  // namespace auralis
