// SPDX-License-Identifier: MIT
// The loop of synthd: keeps each station's ring filled ahead of the timeline, and waits for nobody. step()
// does what is due and tells when to come again, so a test leads it by a clock of its own; run() is the
// thread that obeys it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "common/audio_segment.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/control_segment.h"
#include "common/metrics_segment.h"
#include "synthd/engine/engine.h"
#include "synthd/station.h"
#include "synthd/synth_metrics.h"

namespace auralis {

// How the configuration cuts time: the ring's shape, and for a fresh segment when chunk 0 is due.
Timeline make_timeline(const Config& config, std::int64_t now_ns);
std::uint32_t ring_slots(const Config& config);

// What the loop works with. All of it outlives the loop, and is the loop's thread's alone (but for the clock
// and beats).
struct SynthParts {
  const Clock& clock;
  Engine& engine;
  AudioWriter& audio;
  ControlReader& control;
  MetricsWriter& metrics_writer;
  SynthMetrics& metrics;  // of SynthMetrics::kLoopLane
};

class SynthLoop {
 public:
  // Stations go on where `parts.audio` left off, or begin with `initial`; then the segment is published.
  SynthLoop(const SynthParts& parts, const std::vector<StationInfo>& stations, const MusicParameters& initial,
            std::int64_t target_depth_ns);

  // Renders at most one chunk a station, where its ring is below its target depth. Returns the moment of the
  // next step (CLOCK_MONOTONIC): now where more is due, at most kLongestWaitNs ahead. Throws EngineError. One
  // thread.
  std::int64_t step();

  // Every ring has been at its target depth. The thread of step().
  bool filled() const { return filled_; }

  // Steps until stop(); calls `on_filled` once. Throws what step() throws.
  void run(const std::function<void()>& on_filled);

  // Ends run() at once, also one that is still to come. Any thread.
  void stop();

  // Whether the last step is not longer ago than kHungAfterNs. Any thread.
  bool healthy(std::int64_t now_ns) const;

  static constexpr std::int64_t kLongestWaitNs = 200 * kNsPerMs;
  static constexpr std::int64_t kHungAfterNs = 5 * kNsPerSecond;

 private:
  struct Slot {
    StationInfo info;
    Station station;
    std::int64_t newest;                // newest chunk in the ring; -1 before the first
    std::uint64_t control_version = 0;  // of the control slot when it was last looked at
  };

  void poll_control(std::int64_t now_ns);
  void apply_request(std::size_t index);
  void skip_missed(std::size_t index, std::int64_t now_ns);
  void render_due();
  RenderReport render_batch();
  void recall_due();
  bool bring_up();
  std::int64_t next_step(std::int64_t now_ns) const;

  SynthParts parts_;
  std::int64_t target_depth_ns_;
  std::vector<Slot> slots_;
  bool filled_ = false;
  std::int64_t control_refresh_ns_ = 0;  // when to look at the control segment's file again
  std::int64_t skip_log_ns_ = 0;         // no earlier warning about skipped chunks than this

  // The batch of a step: as long as slots_ at most, memory taken at construction.
  std::vector<std::size_t> due_;
  std::vector<StationChunk> batch_;
  std::vector<std::int64_t> recall_counts_;

  std::atomic<std::int64_t> last_step_ns_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // under mutex_
};

}  // namespace auralis
