// SPDX-License-Identifier: MIT
// The one reader of the rings: takes each chunk once, has it encoded, and delivers it to the workers whose
// listeners are due. Keeps the stations and the listeners' subscriptions, and requests of synthd what
// listeners want.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/process_time.h"
#include "common/base/thread_checker.h"
#include "common/config/config.h"
#include "common/metrics/metrics_segment.h"
#include "streamd/control/listener_requests.h"
#include "streamd/control/pending_listener.h"
#include "streamd/control/station_directory.h"
#include "streamd/control/station_table.h"
#include "streamd/control/time_slice.h"
#include "streamd/control/worker_context.h"
#include "streamd/control/worker_proxy.h"
#include "streamd/delivery/chunk_pump.h"
#include "streamd/delivery/listener_ledger.h"
#include "streamd/delivery/paced_delivery.h"
#include "streamd/delivery/subscriptions.h"
#include "streamd/encode/encoding_pool.h"

namespace auralis {

// The conductor's thread only, which is the first worker's: other threads use ConductorProxy.
class Conductor {
 public:
  // All references outlive it; `metrics` are the first worker's. Throws SegmentError.
  Conductor(WorkerContext& context, MetricsWriter& segment, StreamMetrics& metrics,
            EncodingExecutor& encoding, SentMeter& meter);

  // Before the first step(). `step_soon` has step() called again at once; called on the conductor's thread.
  void conduct(std::vector<WorkerProxy> workers, std::function<void()> step_soon);

  // All periodic work. Returns the time (CLOCK_MONOTONIC, ns) at which it is to be called again.
  std::int64_t step();

  // Requests of workers, as in ConductorProxy.
  void add(ConnectionId id, const NewListener& listener);
  void remove(ConnectionId id, DisconnectReason reason);
  bool empty() const { return subscriptions_.size() == 0; }
  void change(ConnectionId id, const ClientMessage& message);
  void send_status(ConnectionId id);
  void subscribe(ConnectionId id, const ReservedStation& station);
  void set_format(ConnectionId id, const FormatRequest& request);
  void relay(std::size_t worker, ConnectionId id, const WireMessagePtr& message);
  void answer_control(const HttpCaller& caller, const ChangeRequest& request);
  void answer_status(const HttpCaller& caller, const QueryFields& query);
  void answer_close(const HttpCaller& caller, ConnectionId listener);
  void answer_listeners(const HttpCaller& caller);
  void add_reports(std::uint64_t collection, const std::vector<ListenerReport>& reports);

  // Any thread. When the last step began (CLOCK_MONOTONIC, ns): tells whether the thread hangs.
  std::int64_t last_step_ns() const { return last_step_ns_.load(std::memory_order_relaxed); }

 private:
  // An answer to answer_listeners() that still lacks reports of workers.
  struct ReportCollection {
    HttpCaller caller;
    std::size_t missing = 0;  // workers that have not reported
    std::vector<ListenerReport> reports;
  };
  std::int64_t work();
  // conductor.cpp: the stations
  void refresh();
  void close_streams_of_other_rate();
  void apply(const StationTable::Changes& changes);
  void add_station(const StationId& station);
  std::optional<StationId> open_personal(const Permalink& link, SharedPermit permit);
  void relocate(const StationTable::Gone& gone);
  void move(const StationId& from, const StationId& to);
  void reject(ConnectionId id);
  void publish_directory();
  void log_holes();
  void log_hole(const std::string& station, const Hole& hole, std::size_t listeners) const;
  void log_sampled_turn();
  StationDirectory directory() const;
  std::optional<std::string> not_ready_reason() const;
  void send_changed_status();
  void send_changed_status(const StationId& station);
  StatusContext status_context(const StationId& station) const;
  std::int64_t prefill_chunks() const;
  std::int64_t lead_chunks(WireFormat format, std::int64_t lead_ms) const;

  // conductor_listeners.cpp: listeners that wait
  std::optional<StationId> station_for(const ReservedStation& reserved);
  void release_reservation(const ReservedStation& reserved);
  bool secure_encoder(const StationId& station, WireFormat format, const SharedPermit& encoder);
  bool needs_encoder(const StationId& station) const;
  void release_encoders();
  bool waits_for_station() const;
  bool waits_for_format(ConnectionId id) const;
  std::vector<ConnectionId> pending_ids(const std::function<bool(const PendingListener&)>& which) const;
  void wait_for(PendingStation station, ConnectionId id);
  std::optional<PendingStation> extract_station(ConnectionId id);
  void serve_stations();
  void serve_requests();
  void serve_requests(ConnectionId id);
  bool ready(ConnectionId id, const PendingStation& waited);
  bool ready(ConnectionId id, const PendingFormat& waited);
  bool encoded(const StationId& station, const Subscriptions::Listener& listener, WireFormat format,
               std::optional<std::int64_t> first);
  std::optional<std::int64_t> first_chunk(const PendingStation& waited,
                                          const Subscriptions::Listener& listener) const;
  void begin(ConnectionId id, const PendingStation& waited, const Subscriptions::Listener& listener);
  void subscribe_now(ConnectionId id, const ReservedStation& reserved);
  void switch_station(ConnectionId id, const PendingStation& waited, const Subscriptions::Listener& listener);
  void switch_format(ConnectionId id, const PendingFormat& waited);

  // conductor_requests.cpp: answers
  void change_now(ConnectionId id, const ClientMessage& message);
  // `actor` is named in the log.
  ChangeResult change_station(const ClientMessage& message, const StationId& station,
                              const std::string& actor);
  ChangeResult control(const ChangeRequest& request, const std::string& actor);
  // `event`: what it is if it is refused.
  void count(const ChangeResult& result, GroupedLog::Event event, const std::string& actor);
  void refuse_changes(ConnectionId id, const PendingStation& waited);
  void refuse_change(ConnectionId id, const ClientMessage& message, std::string_view why);
  void refuse(ConnectionId id, const MessageError& error);
  WorkerProxy& worker_of(const Subscriptions::Listener& listener) { return workers_.at(listener.worker); }
  void send(const Subscriptions::Listener& listener, ConnectionId id, const std::string& text);
  void respond(const HttpCaller& caller, HttpResponse response);
  HttpResponse status_response(const QueryFields& query);

  ThreadChecker checker_;
  WorkerContext& context_;
  const Config& config_;
  const Clock& clock_;
  ProcessTime process_time_;
  MetricsWriter& segment_;
  StreamMetrics& metrics_;
  StationLabels labels_;
  ChunkPump pump_;
  StationTable stations_;
  ListenerLedger ledger_;
  Subscriptions subscriptions_;
  PacedDelivery delivery_;
  WakeupMeter wakeups_;
  std::vector<WorkerProxy> workers_;
  std::function<void()> step_soon_;
  std::shared_ptr<const StationDirectory> directory_ = std::make_shared<StationDirectory>();
  std::map<std::string, StationStatus> sent_status_;  // that all listeners of a station have, by its name
  TimeSlice status_slice_;
  std::map<ConnectionId, PendingListener> pending_;  // of subscriptions_, those that wait
  // Encoders of personal stations that are heard in Opus, by index and generation.
  std::map<std::pair<std::size_t, std::uint64_t>, SharedPermit> encoders_;
  std::map<std::uint64_t, ReportCollection> collections_;
  std::uint64_t last_collection_ = 0;
  std::optional<std::int64_t> sampled_turn_;  // of log_sampled_turn()
  std::uint32_t sample_rate_ = 0;             // 0: not known yet
  std::int64_t next_refresh_ns_ = 0;
  std::int64_t next_second_ns_ = 0;
  std::atomic<std::int64_t> last_step_ns_{0};
};

}  // namespace auralis
