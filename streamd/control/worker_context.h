// SPDX-License-Identifier: MIT
// State that all workers and the conductor share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "streamd/admission/access_policy.h"
#include "streamd/admission/connection_limiter.h"
#include "streamd/admission/grouped_log.h"

namespace auralis {

// Any thread. Outlives the workers and the conductor.
struct WorkerContext {
  const Config& config;
  const Clock& clock;  // its wall time never jumps; sent to listeners
  const Clock& wall;   // the system's wall time, by which tickets expire
  const AccessPolicy& access;
  ConnectionLimiter& limiter;   // of listeners
  ConnectionLimiter& personal;  // of personal stations
  ConnectionLimiter& encoders;  // of personal stations that are encoded in Opus
  ConnectionLimiter& downloads;
  const std::string& render_program;  // path of auralis-render, if it is installed
  GroupedLog& grouped_log;
  // Personal stations that workers have promised and the conductor has not opened yet.
  std::atomic<std::size_t> pending_personal{0};
  // Workers whose directory says that streamd is not ready. Each counts itself from its construction on.
  std::atomic<std::size_t> workers_not_ready{0};
  std::atomic<bool> stopping{false};
  std::atomic<bool> can_render{false};  // whether render_program is there, as housekeeping has seen

  // Length of the longest download; 0: none are offered.
  std::int64_t download_minutes() const {
    const bool offered = config.streamd.max_downloads > 0 && can_render.load(std::memory_order_relaxed);
    return offered ? config.streamd.download_minutes : 0;
  }

  // The time that listeners are told, in Unix seconds.
  double server_time() const { return static_cast<double>(clock.unix_ns()) / kNsPerSecond; }
};

}  // namespace auralis
