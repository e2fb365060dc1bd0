// SPDX-License-Identifier: MIT
// Joins the parts of synthd: engine, segments, and the thread of the loop.
#pragma once

#include <memory>
#include <optional>
#include <thread>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/daemon/service.h"
#include "common/metrics/metrics_segment.h"
#include "synthd/engine/engine.h"
#include "synthd/synth_loop.h"
#include "synthd/synth_metrics.h"

namespace auralis {

// One thread, beside its own. `service` outlives it: it is made ready when every ring is filled, and stopped
// with status 1 if the engine fails.
class SynthDaemon {
 public:
  // Starts rendering. prepare_opencl_environment() was called before. Throws EngineError, SegmentError.
  SynthDaemon(const Config& config, Service& service);

  // Stops; the rings keep what was rendered, for the next synthd to continue.
  ~SynthDaemon();
  SynthDaemon(const SynthDaemon&) = delete;
  SynthDaemon& operator=(const SynthDaemon&) = delete;

  // Samples the process, and checks the metrics segment's file; about once a second. Throws SegmentError.
  void housekeeping() {
    own_metrics_.process.sample();
    metrics_writer_.run_housekeeping(clock_.now_ns());
  }

  // Adds and removes configured stations; nothing: the configuration was refused. The thread of
  // housekeeping().
  void reconfigure(const std::optional<Config>& config) {
    own_metrics_.process.note_reload(config.has_value());
    if (config) loop_.reconfigure(config->stations);
  }

  bool healthy() const { return loop_.healthy(clock_.now_ns()); }

 private:
  void run(Service& service);

  SystemClock clock_;
  MetricsWriter metrics_writer_;
  SynthMetrics loop_metrics_;
  SynthMetrics own_metrics_;
  std::size_t capacity_;
  std::unique_ptr<Engine> engine_;
  AudioWriter audio_;  // after the engine, whose start takes time: the timeline starts here
  ControlReader control_;
  SynthLoop loop_;
  std::thread thread_;
};

// --list-devices: prints the devices and the chosen one. Returns the exit status: 1 if none can be chosen.
int list_devices(const Config& config);

}  // namespace auralis
