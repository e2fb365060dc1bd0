// SPDX-License-Identifier: MIT
// Metrics that synthd and streamd share: how long each stage of the audio path takes, and how late a loop
// runs.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "common/base/clock.h"
#include "common/metrics/metrics.h"

namespace auralis {

// Of a stage: compose, render and publish in synthd, each for a batch; copy, encode and send in streamd.
inline Histogram stage_latency(MetricBinder& m, std::string stage) {
  return m.histogram("auralis_stage_latency_ms",
                     "Time that a stage of the audio path took, in milliseconds: compose the notes, render "
                     "and publish into the rings a batch of chunks; copy a chunk out of its ring; encode it "
                     "in one format; send a phase's chunks to the listeners of a thread",
                     {0.1, 1, 10, 100}, {{"stage", std::move(stage)}});
}

inline Histogram wakeup_latency(MetricBinder& m, std::string process) {
  return m.histogram("auralis_wakeup_latency_ms",
                     "Time from when a step of the process's loop was due until it ran, in milliseconds",
                     {1, 5, 20, 100, 500, 2000}, {{"process", std::move(process)}});
}

inline void observe_ns(Histogram& histogram, std::int64_t ns) {
  histogram.observe(static_cast<double>(ns) / kNsPerMs);
}

// When the next step of a loop is due. One thread.
class WakeupMeter {
 public:
  // `latency_ms` outlives it.
  explicit WakeupMeter(Histogram& latency_ms) : latency_ms_(latency_ms) {}

  // A step begins: observes how late, unless it comes before it is due, or is the first.
  void begin_step(std::int64_t now_ns) {
    if (due_ns_ != 0 && now_ns >= due_ns_) observe_ns(latency_ms_, now_ns - due_ns_);
  }
  // The next step is due then.
  void end_step(std::int64_t due_ns) { due_ns_ = due_ns; }

 private:
  Histogram& latency_ms_;
  std::int64_t due_ns_ = 0;
};

}  // namespace auralis
