// SPDX-License-Identifier: MIT
// All of synthd at work: device, segments, and the thread of the loop.
#pragma once

#include <memory>
#include <thread>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/daemon/service.h"
#include "common/metrics/metrics_segment.h"
#include "synthd/engine/engine.h"
#include "synthd/synth_loop.h"
#include "synthd/synth_metrics.h"

namespace auralis {

// One thread, but for its own. `service` outlives it: it is told when every ring is filled, and stopped with
// status 1 when the engine fails.
class SynthDaemon {
 public:
  // Starts playing. The environment is prepared (prepare_opencl_environment). Throws EngineError,
  // SegmentError.
  SynthDaemon(const Config& config, Service& service);

  // Stops; the ring keeps what was rendered, for the next synthd to go on with.
  ~SynthDaemon();
  SynthDaemon(const SynthDaemon&) = delete;
  SynthDaemon& operator=(const SynthDaemon&) = delete;

  // Measures the process, and looks after the metrics segment; about once a second. Throws SegmentError.
  void housekeeping() {
    own_metrics_.process.sample();
    metrics_writer_.run_housekeeping(clock_.now_ns());
  }

  // Adds and removes configured stations.
  void reconfigure(const Config& config) { loop_.reconfigure(config.stations); }

  bool healthy() const { return loop_.healthy(clock_.now_ns()); }

 private:
  void run(Service& service);

  SystemClock clock_;
  MetricsWriter metrics_writer_;
  SynthMetrics loop_metrics_;
  SynthMetrics own_metrics_;
  std::size_t places_;
  std::unique_ptr<Engine> engine_;
  AudioWriter audio_;  // after the engine, whose start takes time: the timeline begins now
  ControlReader control_;
  SynthLoop loop_;
  std::thread thread_;
};

// --list-devices: prints what can render and the choice. Status for main: 1 where that is not there.
int list_devices(const Config& config);

}  // namespace auralis
