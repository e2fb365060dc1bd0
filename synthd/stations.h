// SPDX-License-Identifier: MIT
// The stations that synthd renders: configured and personal ones, each at its index in the audio segment's
// station table, which is also its index in the engine. Adds, removes and restores them; what is rendered
// when is the loop's decision (synth_loop.h). One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/log.h"
#include "common/base/thread_checker.h"
#include "common/config/config.h"
#include "common/metrics/metrics_segment.h"
#include "common/metrics/station_labels.h"
#include "common/segments/audio_segment.h"
#include "synthd/engine/engine.h"
#include "synthd/station.h"
#include "synthd/synth_metrics.h"

namespace auralis {

// Parts that the stations are written to, rendered with and counted in. All of it outlives Stations, and
// belongs to its thread.
struct StationParts {
  Engine& engine;
  AudioWriter& audio;
  MetricsWriter& metrics_writer;
  SynthMetrics& metrics;  // of SynthMetrics::kLoopShard
};

// A station and how far its ring is filled. Chunks are numbered on the timeline, except where "own" is said.
struct StationSlot {
  StationState state;
  Station station;
  std::int64_t newest;  // newest chunk in the ring; before the first: the one before that
  std::int64_t
      lead_in;  // chunks up to this one were past when the station started: history for new listeners
  SynthMetrics::StationMetrics* metrics;

  std::int64_t next_own() const { return state.own_chunk(newest + 1); }
};

class Stations {
 public:
  // As many as `parts.audio` has room for; no station is there yet. Takes all memory that it needs.
  explicit Stations(const StationParts& parts);

  // Continues the stations that a former synthd left in the segment, if it was taken over. `now_ns` as below:
  // now, CLOCK_MONOTONIC.
  void restore(std::int64_t now_ns);

  // Makes `configured` the configured stations: adds and removes; the others, and personal ones, continue. If
  // personal stations occupy every index, some are not added: wants_index() is true then.
  void apply(const std::vector<StationConfig>& configured, std::int64_t now_ns);

  // Whether a configured station waits until a personal one ends. Then apply() again.
  bool wants_index() const { return wants_index_; }

  // Adds a station that starts with its `own_chunk`, slightly in the past, so that its first listener
  // receives audio at once. `index` is free.
  void add(std::size_t index, StationState state, std::int64_t own_chunk, std::int64_t now_ns);

  // Removes the station at `index`; there is one.
  void remove(std::size_t index);

  // Marks the chunks of all stations as not rendered: their rings were lost. Rendered again, they are the
  // same.
  void rewind(std::int64_t now_ns);

  std::size_t capacity() const { return stations_.size(); }
  bool contains(std::size_t index) const { return stations_.at(index).has_value(); }

  // The station at `index`; there is one. Valid until it is removed, rewound or replaced.
  StationSlot& at(std::size_t index) { return stations_.at(index).value(); }
  const StationSlot& at(std::size_t index) const { return stations_.at(index).value(); }

  // Whether the station at `index` is the one that a control request for `generation` means.
  bool holds(std::size_t index, std::uint64_t generation) const;

  // Hands the stations to the next thread that uses them (ThreadChecker::detach).
  void detach() noexcept { thread_.detach(); }

 private:
  const Timeline& timeline() const { return parts_.audio.timeline(); }
  void remove_all_but(const std::vector<std::string_view>& names);
  void add_or_update(const StationConfig& station, std::int64_t now_ns);
  std::optional<std::size_t> index_of(std::string_view configured_name) const;
  std::optional<std::size_t> free_index() const;
  std::int64_t lead_in_begin(std::int64_t now_ns) const;
  void place(std::size_t index, const StationState& state, std::int64_t newest);
  void place_in_past(std::size_t index, const StationState& state, std::int64_t now_ns);

  StationParts parts_;
  StationLabels labels_;
  std::vector<std::optional<StationSlot>> stations_;  // by index
  bool wants_index_ = false;
  ThreadChecker thread_;
};

// A log field that identifies a station. A personal station's name is a capability: the log has its index.
std::pair<std::string_view, LogValue> log_field(std::size_t index, const StationState& state);

}  // namespace auralis
