// SPDX-License-Identifier: MIT
// The loop of synthd: keeps each station's ring filled ahead of the timeline, and waits for no reader. step()
// does what is due and returns when the next step is due, so a test drives it with its own clock; run() is
// the thread that steps in real time.
#pragma once

#include <atomic>
#include <cassert>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/thread_checker.h"
#include "common/config/config.h"
#include "common/metrics/metrics_segment.h"
#include "common/metrics/stage_metrics.h"
#include "common/segments/audio_segment.h"
#include "common/segments/control_segment.h"
#include "synthd/engine/engine.h"
#include "synthd/realtime_factor.h"
#include "synthd/stations.h"
#include "synthd/synth_metrics.h"

namespace auralis {

// Parts that the loop works with. All of it outlives the loop and belongs to its thread, except the clock and
// the writers' beats.
struct SynthParts {
  const Clock& clock;
  Engine& engine;
  AudioWriter& audio;
  ControlReader& control;
  MetricsWriter& metrics_writer;
  SynthMetrics& metrics;  // of SynthMetrics::kLoopShard
};

class SynthLoop {
 public:
  // Continues the stations that `parts.audio` took over: those still configured, and all personal ones; adds
  // the other configured ones. Publishes the audio segment. `target_depth_ns`: how far ahead of now rings are
  // kept filled.
  SynthLoop(const SynthParts& parts, const std::vector<StationConfig>& stations,
            std::int64_t target_depth_ns);

  // Renders at most one chunk a station, if its ring is below the target depth. Returns when the next step is
  // due (CLOCK_MONOTONIC): now if more is due already, at most kLongestWaitNs ahead. Throws EngineError, and
  // SegmentError if the audio segment was removed and cannot be restored. One thread.
  std::int64_t step();

  // Whether every ring has reached its target depth once. The thread of step().
  bool filled() const {
    assert(thread_.is_current());
    return filled_;
  }

  // Steps until stop(); calls `on_filled` once. Throws what step() throws. Its thread is the one of step()
  // from then on.
  void run(const std::function<void()>& on_filled);

  // Replaces the configured stations at the next step; those in both lists continue. Any thread.
  void reconfigure(std::vector<StationConfig> stations);

  // Ends run() at once, and makes a later run() return at once. Any thread.
  void stop();

  // Whether the last step began at most kHungAfterNs ago. Any thread.
  bool healthy(std::int64_t now_ns) const;

  // Also how long a request for a personal station waits at most before it is seen.
  static constexpr std::int64_t kLongestWaitNs = 20 * kNsPerMs;
  static constexpr std::int64_t kHungAfterNs = 5 * kNsPerSecond;

 private:
  const Timeline& timeline() const { return parts_.audio.timeline(); }
  void run_housekeeping(std::int64_t now_ns);
  void take_configuration();
  void poll_control(std::int64_t now_ns);
  bool apply(std::size_t index, const ControlRequest& request);
  bool change(std::size_t index, const ControlRequest& request);
  void open_personal(std::size_t index, const ControlRequest& request);
  void close_personal(std::size_t index);
  void collect_due(std::int64_t now_ns);
  void skip_missed(std::size_t index, std::int64_t now_ns);
  void render_due();
  void show_engine();
  void log_sampled_batch(double took_ms);
  void render_ready(std::size_t count);
  void show_realtime_factor(std::int64_t now_ns);
  void warm_up(std::size_t first);
  void add_to_batch(std::size_t index, std::int64_t own_chunk);
  std::optional<std::int64_t> warm_up_chunk(std::size_t index) const;
  std::int64_t next_step(std::int64_t now_ns) const;

  SynthParts parts_;
  std::int64_t target_depth_ns_;
  std::vector<StationConfig> configured_;
  Stations stations_;

  // The batch of a step: at most one chunk a station. Memory taken at construction.
  std::vector<std::size_t> due_;  // indices of stations
  std::vector<StationChunk> batch_;
  std::size_t playing_ = 0;  // stations
  RealtimeFactor realtime_factor_;
  WakeupMeter wakeups_;

  std::vector<std::uint64_t> control_versions_;  // by index: of the request that was last applied
  std::uint64_t control_version_ = 0;            // of the segment when it was last read
  std::int64_t control_refresh_ns_ = 0;          // when to check the control segment's file again
  std::int64_t next_check_ns_ = 0;               // when to check the audio segment again
  std::uint64_t batches_ = 0;                    // while debug messages are logged
  std::int64_t skip_log_ns_ = 0;                 // no warning about skipped chunks before this
  bool requests_wait_ = false;                   // some request came too soon after another
  bool filled_ = false;
  ThreadChecker thread_;  // of step()

  std::atomic<bool> reconfigured_{false};  // whether reconfigured_stations_ is new
  std::atomic<std::int64_t> last_step_ns_;
  Mutex mutex_;
  std::condition_variable wake_;
  std::vector<StationConfig> reconfigured_stations_ AURALIS_GUARDED_BY(mutex_);
  bool stopping_ AURALIS_GUARDED_BY(mutex_) = false;
};

}  // namespace auralis
