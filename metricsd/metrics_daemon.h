// SPDX-License-Identifier: MIT
// The parts of metricsd combined: reads segments, serves HTTP and ZeroMQ.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/thread_checker.h"
#include "common/config/config.h"
#include "metricsd/absence.h"
#include "metricsd/dashboard.h"
#include "metricsd/event_spans.h"
#include "metricsd/otlp_exporter.h"
#include "metricsd/prometheus_exporter.h"
#include "metricsd/run.h"
#include "metricsd/snapshot.h"
#include "metricsd/zmq_keys.h"
#include "metricsd/zmq_publisher.h"

namespace auralis {

class MetricsDaemon {
 public:
  static constexpr std::size_t kHistoryEvents = 100;

  // Takes a first sample, reads the keys, binds both endpoints and starts to serve HTTP. `clock` must outlive
  // it. Throws std::runtime_error, naming the endpoint or the file, if one cannot be bound or used.
  MetricsDaemon(const Config& config, const Clock& clock);

  // Stops the thread of start(), within the time of a step; and that which exports spans (OtlpExporter).
  ~MetricsDaemon();
  MetricsDaemon(const MetricsDaemon&) = delete;
  MetricsDaemon& operator=(const MetricsDaemon&) = delete;

  // The work of one second: takes a sample; publishes a snapshot, to subscribers and open dashboards, the
  // events of that second, and the last kHistoryEvents to those that have just subscribed to them; queues
  // for export what is over. One
  // thread: that of start(), or a test's if it does not call start().
  void step();

  // Starts a thread that steps each second of the steady clock, and measures. Once.
  void start();

  // Whether the last step is no older than a hung daemon's heartbeat. Any thread.
  bool healthy() const;

  // As healthy(), for a watchdog that asks each second: after this process was stopped (SIGSTOP, a suspended
  // machine), allows a grace period for the steps to resume. One thread.
  bool fit_for_watchdog();

  // Notes that the configuration was loaded again, or refused. Any thread.
  void note_reload(bool successful) { source_.note_reload(successful); }

  int http_port() const { return exporter_.port(); }
  std::string zmq_endpoint() const { return publisher_.endpoint(); }
  // Empty: no encryption.
  std::string zmq_public_key() const { return zmq_keys_ ? zmq_keys_->public_key : std::string(); }

 private:
  void run();

  const Clock& clock_;
  const Run run_;
  SnapshotSource source_;
  Dashboard dashboard_;
  const std::optional<ZmqKeys> zmq_keys_;
  ZmqPublisher publisher_;                 // of the stepping thread
  std::uint64_t seq_ = 0;                  // of the stepping thread
  EventSpans spans_;                       // of the stepping thread
  std::optional<OtlpExporter> otlp_;       // nothing: spans are not exported
  std::vector<DaemonEvent> first_events_;  // of the sample before the first request; of the stepping thread
  std::atomic<std::int64_t> last_step_ns_;
  Absence absence_;  // of the thread that asks fit_for_watchdog()
  ThreadChecker stepping_;
  ThreadChecker watching_;
  PrometheusExporter exporter_;

  Mutex mutex_;
  bool stopping_ AURALIS_GUARDED_BY(mutex_) = false;
  std::condition_variable stop_;
  std::thread thread_;
};

}  // namespace auralis
