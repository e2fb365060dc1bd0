// SPDX-License-Identifier: MIT
// metricsd put together: segments in, HTTP and ZeroMQ out.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/config/config.h"
#include "metricsd/absence.h"
#include "metricsd/prometheus_exporter.h"
#include "metricsd/snapshot.h"
#include "metricsd/zmq_publisher.h"

namespace auralis {

class MetricsDaemon {
 public:
  // Binds both endpoints and serves HTTP from here on, a first sample being taken. `clock` must outlive it.
  // Throws std::runtime_error where an endpoint cannot be had.
  MetricsDaemon(const Config& config, const Clock& clock);

  // Stops what start() started, within a step's time.
  ~MetricsDaemon();
  MetricsDaemon(const MetricsDaemon&) = delete;
  MetricsDaemon& operator=(const MetricsDaemon&) = delete;

  // One second's work: a sample, and what it tells published: a snapshot, and what happened to the daemons.
  // One thread: the one of start(), or a test's that does not call start().
  void step();

  // Has a thread of its own step each second by the steady clock. Once.
  void start();

  // Whether the last step is no older than a hung daemon's heartbeat. Any thread.
  bool healthy() const;

  // As healthy(), for a watchdog that asks each second: after an absence of this process, the steps have a
  // moment to go on first. One thread.
  bool fit_for_watchdog();

  int http_port() const { return exporter_.port(); }
  std::string zmq_endpoint() const { return publisher_.endpoint(); }

 private:
  void run();

  const Clock& clock_;
  SnapshotSource source_;
  ZmqPublisher publisher_;       // of the stepping thread
  std::uint64_t seq_ = 0;        // of the stepping thread
  std::uint64_t event_seq_ = 0;  // likewise
  std::atomic<std::int64_t> last_step_ns_;
  Absence absence_;  // of the thread that asks fit_for_watchdog()
  PrometheusExporter exporter_;

  Mutex mutex_;
  bool stopping_ AURALIS_GUARDED_BY(mutex_) = false;
  std::condition_variable stop_;
  std::thread thread_;
};

}  // namespace auralis
