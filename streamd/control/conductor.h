// SPDX-License-Identifier: MIT
// The one thread that reads the rings: takes each chunk once, has it encoded, and hands it to the workers
// whose listeners are due; knows the stations, and asks synthd for what listeners want.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/process_time.h"
#include "common/config/config.h"
#include "common/metrics/metrics_segment.h"
#include "streamd/control/station_directory.h"
#include "streamd/control/station_table.h"
#include "streamd/control/time_slice.h"
#include "streamd/control/worker.h"
#include "streamd/delivery/chunk_pump.h"
#include "streamd/delivery/paced_delivery.h"
#include "streamd/delivery/subscriptions.h"
#include "streamd/encode/encoding_pool.h"

namespace auralis {

// It shares the first worker's thread. post() may be called on any thread, everything else on that one.
class Conductor {
 public:
  // The segment's writer, the workers and the metrics, which are the first worker's, outlive it. Throws
  // SegmentError.
  Conductor(WorkerContext& context, MetricsWriter& segment, StreamMetrics& metrics);

  // The workers, the first of which it shares the thread of; before step().
  void conduct(std::vector<Worker*> workers) { workers_ = std::move(workers); }

  // Runs `work` on the conductor's thread.
  void post(std::function<void()> work);

  // All periodic work; returns when it wants to be called again.
  std::int64_t step();

  // A listener has come to that worker; it hears what it wants as soon as that plays.
  struct Wish {
    StationRequest want;
    bool reserved = false;  // a place for a station of its own: counted in WorkerContext::coming_personal
    SharedPermit personal;  // of that station
    SharedPermit encoder;   // where it may need one
  };
  struct Arrival {
    std::size_t worker = 0;
    Wish wish;
    WireFormat format = WireFormat::kJson;
  };
  void arrive(ConnectionId id, const Arrival& arrival);
  void remove(ConnectionId id);

  // What listeners ask for. Answers go to their worker.
  void change(ConnectionId id, const ClientMessage& message);
  void tell_status(ConnectionId id);
  void subscribe(ConnectionId id, const Wish& wish);
  // `done` runs on this thread once the format is in force, or the listener is gone. What it asks for later
  // waits for that: answers come in the order of the questions.
  // Where the station has no encoder and `encoder` is null it is refused, or, if `stepped_down`, left out.
  struct FormatWish {
    std::optional<WireFormat> format;
    bool stepped_down = false;
    SharedPermit encoder;
  };
  void set_format(ConnectionId id, const FormatWish& wish, std::function<void()> done);

  // What is asked for over HTTP.
  HttpResponse control_response(const ChangeRequest& request);
  HttpResponse status_response(std::string_view query);
  HttpResponse close_response(ConnectionId id);
  // Gathers what all workers say, and hands it to `done` on this thread.
  void gather_listeners(std::function<void(std::vector<ListenerReport>)> done);

  // When the last step was: what tells a hanging thread. Any thread.
  std::int64_t last_step_ns() const { return last_step_ns_.load(std::memory_order_relaxed); }

 private:
  // A listener whose station does not play yet, or whose first chunks are being encoded.
  struct PendingListener {
    ConnectionId id = 0;
    StationId place;
    bool subscribed = false;             // to be answered; else it has just come
    bool own = false;                    // a new station, begun for this listener
    std::vector<ClientMessage> changes;  // asked for since then: they are meant for that station
    std::int64_t plays_since_ns = 0;     // 0: it does not play yet
  };
  // A listener that is to be sent another format once it can follow without a gap; without a format, what it
  // asked for after that.
  struct Switching {
    ConnectionId id = 0;
    std::optional<WireFormat> format;
    bool stepped_down = false;
    std::int64_t since_ns = 0;
    std::function<void()> done;
  };

  StatusContext status_context(const StationId& station) const;
  void refresh();
  void follow_rate();
  void apply(const StationTable::Changes& changes);
  void relocate(const StationTable::Gone& gone);
  void move(const StationId& from, const StationId& to);
  void publish_directory();
  StationDirectory directory() const;
  void tell_changed_status();
  void tell_changed_status(const StationId& place);
  void welcome_waiting();
  bool ready(const PendingListener& waiting);
  bool ready(const Switching& switching);
  bool encoded(const StationId& place, const Subscriptions::Listener& listener, WireFormat format,
               std::int64_t prefill);
  bool comes_after_switch(ConnectionId id, std::function<void()> work);
  void switch_formats();
  void switch_format(const Switching& switching);
  void welcome(ConnectionId id, const Subscriptions::Listener& listener);
  void switch_station(const PendingListener& waited, const Subscriptions::Listener& listener);
  void wait_for(PendingListener waiting);
  std::vector<PendingListener> extract_pending(const std::function<bool(const PendingListener&)>& which);
  void reject(ConnectionId id);
  void refuse_changes(const PendingListener& waited);
  void refuse_change(ConnectionId id, const ClientMessage& message);
  void refuse(ConnectionId id, const MessageError& error);
  void on_worker(std::size_t worker, std::function<void(Worker&)> work);
  void on_all_workers(const std::function<void(Worker&)>& work);
  std::optional<StationId> place_for(const Wish& wish);
  bool secure_encoder(const StationId& place, WireFormat format, const SharedPermit& encoder);
  bool needs_encoder(const StationId& place) const;
  void release_encoders();
  std::optional<std::string> not_ready_reason() const;
  std::int64_t prefill_chunks() const;
  double server_time() const { return static_cast<double>(clock_.unix_ns()) / kNsPerSecond; }
  HttpResponse change_response(const ClientMessage& message, const StationId& place);
  HttpResponse refused(int status, const MessageError& error);

  WorkerContext& context_;
  const Config& config_;
  const Clock& clock_;
  ProcessTime process_time_;
  MetricsWriter& segment_;
  StreamMetrics& metrics_;
  StationLabels labels_;
  EncodingPool encoding_;
  ChunkPump pump_;
  StationTable stations_;
  Subscriptions subscriptions_;
  PacedDelivery delivery_;
  std::vector<Worker*> workers_;
  std::shared_ptr<const StationDirectory> directory_ = std::make_shared<StationDirectory>();
  std::map<std::string, StationStatus> told_;  // what all listeners of a station know, by its name
  TimeSlice telling_;
  std::vector<PendingListener> waiting_;
  std::vector<Switching> switching_;
  // Of personal stations that are heard in Opus; by place and generation.
  std::map<std::pair<std::size_t, std::uint64_t>, SharedPermit> encoders_;
  std::uint32_t sample_rate_ = 0;  // 0: none known yet
  std::int64_t next_refresh_ns_ = 0;
  std::int64_t next_second_ns_ = 0;
  std::atomic<std::int64_t> last_step_ns_{0};
};

}  // namespace auralis
