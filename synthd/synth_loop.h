// SPDX-License-Identifier: MIT
// The loop of synthd: keeps each station's ring filled ahead of the timeline, and waits for nobody. step()
// does what is due and tells when to come again, so a test leads it by a clock of its own; run() is the
// thread that obeys it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/config/config.h"
#include "common/metrics/metrics_segment.h"
#include "common/metrics/station_labels.h"
#include "common/segments/audio_segment.h"
#include "common/segments/control_segment.h"
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
  SynthMetrics& metrics;  // of SynthMetrics::kLoopShard
};

class SynthLoop {
 public:
  // Stations go on where `parts.audio` left off: the configured ones that still are, and all personal ones;
  // then the segment is published.
  SynthLoop(const SynthParts& parts, const std::vector<StationConfig>& stations,
            std::int64_t target_depth_ns);

  // Renders at most one chunk a station, where its ring is below its target depth. Returns the moment of the
  // next step (CLOCK_MONOTONIC): now where more is due, at most kLongestWaitNs ahead. Throws EngineError, and
  // SegmentError where the audio segment was removed and cannot be put back. One thread.
  std::int64_t step();

  // Every ring has been at its target depth. The thread of step().
  bool filled() const { return filled_; }

  // Steps until stop(); calls `on_filled` once. Throws what step() throws.
  void run(const std::function<void()>& on_filled);

  // Configured stations come and go with the next step, the others are left alone. Any thread.
  void reconfigure(std::vector<StationConfig> stations);

  // Ends run() at once, also one that is still to come. Any thread.
  void stop();

  // Whether the last step is not longer ago than kHungAfterNs. Any thread.
  bool healthy(std::int64_t now_ns) const;

  // Also how long a listener's own station waits before it is noticed.
  static constexpr std::int64_t kLongestWaitNs = 20 * kNsPerMs;
  static constexpr std::int64_t kHungAfterNs = 5 * kNsPerSecond;

 private:
  // A station at its place in the table, which is its slot in the engine too.
  struct StationSlot {
    StationState state;
    Station station;
    std::int64_t newest;   // newest chunk in the ring; before the first: the one before that
    std::int64_t lead_in;  // chunks up to this one were over when it came, and are for new listeners
    SynthMetrics::StationMetrics* metrics;

    std::int64_t next_own() const { return state.own_chunk(newest + 1); }
  };

  const Timeline& timeline() const { return parts_.audio.timeline(); }
  void apply();
  void find_former();
  std::optional<std::size_t> place_of(std::string_view name) const;
  std::optional<std::size_t> free_place() const;
  void open(std::size_t place, const StationState& state, std::int64_t newest);
  void add(std::size_t place, StationState state, std::int64_t own_chunk);
  void remove(std::size_t place);
  void poll_control(std::int64_t now_ns);
  bool obey(std::size_t place, const ControlRequest& request);
  bool change(std::size_t place, const ControlRequest& request);
  void open_personal(std::size_t place, const ControlRequest& request);
  void run_housekeeping(std::int64_t now_ns);
  void play_from_past(std::size_t place, const StationState& state, std::int64_t now_ns);
  std::int64_t lead_in_begin(std::int64_t now_ns) const;
  void skip_missed(std::size_t place, std::int64_t now_ns);
  void render_due();
  void render_ready(std::size_t count);
  void warm_up(std::size_t first);
  std::optional<std::int64_t> warm_up_chunk(std::size_t place) const;
  std::int64_t next_step(std::int64_t now_ns) const;

  SynthParts parts_;
  StationLabels labels_;
  std::int64_t target_depth_ns_;
  std::vector<StationConfig> configured_;
  std::vector<std::optional<StationSlot>> places_;  // memory taken at construction

  // The batch of a step: as long as places_ at most, memory taken at construction.
  std::vector<std::size_t> due_;
  std::vector<StationChunk> batch_;

  std::vector<std::uint64_t> control_versions_;  // of each control slot when it was last obeyed
  std::uint64_t control_version_ = 0;            // of all when they were last looked at
  std::int64_t control_refresh_ns_ = 0;          // when to look at the control segment's file again
  std::int64_t next_house_ns_ = 0;               // when to look after the audio segment again
  std::int64_t skip_log_ns_ = 0;                 // no earlier warning about skipped chunks than this
  bool requests_wait_ = false;                   // one of them came too soon after another
  bool lacks_place_ = false;                     // a configured station waits for a place
  bool filled_ = false;

  std::atomic<bool> reconfigured_{false};  // whether to look at coming_
  std::atomic<std::int64_t> last_step_ns_;
  Mutex mutex_;
  std::condition_variable wake_;
  std::vector<StationConfig> coming_ AURALIS_GUARDED_BY(mutex_);  // of reconfigure()
  bool stopping_ AURALIS_GUARDED_BY(mutex_) = false;
};

}  // namespace auralis
