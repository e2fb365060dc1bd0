// SPDX-License-Identifier: MIT
#include "metricsd/metrics_daemon.h"

#include <cassert>
#include <chrono>
#include <exception>
#include <utility>

#include "common/base/log.h"
#include "metricsd/otlp_json.h"
#include "metricsd/snapshot_json.h"

namespace auralis {
namespace {

// Of measuring: even a short ring is not overwritten within it.
constexpr std::chrono::milliseconds kPeriod{250};
constexpr int kPeriodsInStep = 4;

}  // namespace

MetricsDaemon::MetricsDaemon(const Config& config, const Clock& clock)
    : clock_(clock),
      run_(begin_run(clock)),
      source_(config, clock),
      dashboard_(config, clock, run_.id),
      zmq_keys_(read_zmq_keys(config)),
      publisher_(config.metricsd.zmq_endpoint, zmq_keys_),
      first_events_(source_.sample()),
      last_step_ns_(clock.now_ns()),
      exporter_(http_endpoint(config), source_, dashboard_) {
  if (!config.metricsd.otlp_endpoint.empty()) otlp_.emplace(config.metricsd.otlp_endpoint);
}

MetricsDaemon::~MetricsDaemon() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void MetricsDaemon::step() {
  assert(stepping_.is_current());
  std::vector<DaemonEvent> events = std::exchange(first_events_, {});
  for (auto& event : source_.sample()) events.push_back(std::move(event));
  const Snapshot snapshot = source_.take();
  exporter_.publish_live(dashboard_.add(snapshot, events));
  const std::vector<LoggedEvent> newest = dashboard_.newest_events();
  for (const auto& event : newest) publisher_.publish(kEventTopic, event_json(event, run_));
  if (otlp_) {
    const std::vector<EventSpan> over = spans_.add(newest, snapshot.unix_ns);
    if (!over.empty()) otlp_->send(otlp_json(over, run_));
  }
  if (publisher_.take_history_request()) {
    publisher_.publish(kHistoryTopic,
                       history_json(dashboard_.last_events(kHistoryEvents), run_, snapshot.unix_ns));
  }
  publisher_.publish(kMetricsTopic, snapshot_json(snapshot, run_, ++seq_));
  source_.count_published();
  last_step_ns_.store(clock_.now_ns(), std::memory_order_relaxed);
}

void MetricsDaemon::start() {
  assert(!thread_.joinable());
  thread_ = std::thread(&MetricsDaemon::run, this);
}

bool MetricsDaemon::healthy() const {
  return clock_.now_ns() - last_step_ns_.load(std::memory_order_relaxed) < SegmentReader::kHungAfterNs;
}

bool MetricsDaemon::fit_for_watchdog() {
  assert(watching_.is_current());
  const std::int64_t now_ns = clock_.now_ns();
  absence_.step(now_ns);
  return absence_.lately(now_ns) || healthy();
}

void MetricsDaemon::run() {
  auto due = std::chrono::steady_clock::now();
  int period = 0;
  MutexLock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    try {
      if (period++ % kPeriodsInStep == 0) step();
    } catch (const std::exception& error) {
      log_error("snapshot not published", {{"error", std::string(error.what())}});
    }
    try {
      source_.measure();
    } catch (const std::exception& error) {
      log_error("published audio not measured", {{"error", std::string(error.what())}});
    }
    // After a stall, continue from now: do not catch up missed periods in a burst.
    due = std::max(due + kPeriod, std::chrono::steady_clock::now());
    lock.lock();
    while (!stopping_ && lock.wait_until(stop_, due)) continue;
  }
}

}  // namespace auralis
