// SPDX-License-Identifier: MIT
// The metrics of synthd. The loop's thread and the housekeeping thread have a shard each: the loop's metrics
// are counted in one, those of the process in the other.
#pragma once

#include <array>
#include <string>

#include "common/metrics/metric_names.h"
#include "common/metrics/metrics.h"
#include "common/metrics/process_metrics.h"
#include "common/metrics/stage_metrics.h"
#include "common/metrics/station_labels.h"

namespace auralis {

class SynthMetrics {
  MetricBinder& m_;

 public:
  static constexpr std::size_t kLoopShard = 0;
  static constexpr std::size_t kHousekeepingShard = 1;
  static constexpr std::size_t kShards = 2;

  // Of one configured station, or of all personal ones.
  struct StationMetrics {
    Counter published;
    Counter skipped;
  };

  explicit SynthMetrics(MetricBinder& m) : m_(m) {
    for (std::size_t i = 0; i < configured.size(); ++i) configured[i] = of(late_label("station", i));
    m_.require_counters(kDerivedFromSynthd);
  }

  Histogram synthesis_ms = m_.histogram(
      "audio_synthesis_latency_ms",
      "Time to render and publish one batch of chunks, from submission until readers see it, in milliseconds",
      {0.5, 1, 2.5, 5, 10, 25, 50, 75, 100, 150, 200, 300, 500, 1000});
  Histogram compose_ms = stage_latency(m_, "compose");
  Histogram render_ms = stage_latency(m_, "render");
  Histogram publish_ms = stage_latency(m_, "publish");
  Histogram wakeup_ms = wakeup_latency(m_, "synthd");
  Gauge realtime_factor = m_.gauge(
      "auralis_realtime_factor",
      "Seconds of audio that were rendered for each station, for a second of rendering, over the last 5 "
      "seconds: below 1, synthd cannot keep up with its stations; absent while nothing is rendered");
  // One of the two is set, by the type of the device.
  Gauge gpu_memory_mb = m_.gauge(
      kGpuMemory, "Memory that synthd has allocated on its GPU, in MiB; absent where no GPU renders");
  Gauge engine_memory_mb = m_.gauge(
      "auralis_engine_memory_mb", "Memory that the engine has allocated, in MiB; absent where a GPU renders");
  Gauge engine_info = m_.gauge(kEngineInfo, "1; the labels name what renders",
                               {late_label("engine", kEngineLabel), late_label(kDeviceName, kDeviceLabel),
                                late_label("type", kDeviceTypeLabel)});
  Counter device_busy_seconds = m_.counter(
      kDeviceBusySeconds, "Time that the device was busy with batches, by its own clock, in seconds");
  Counter voices_dropped =
      m_.counter("auralis_engine_voices_dropped_total",
                 "Voices left out of a chunk because more sounded than the engine holds");
  Counter failovers =
      m_.counter("auralis_engine_failovers_total", "Failovers from a failed device to the native engine");
  ProcessMetrics process{m_, "synthd"};
  StationMetrics personal = of({"station", std::string(kPersonalLabel)});
  std::array<StationMetrics, kStationLabels> configured;  // by StationLabels

 private:
  StationMetrics of(const MetricLabel& label) {
    return {m_.counter("auralis_chunks_published_total", "Chunks written into the ring", {label}),
            m_.sparse_counter("auralis_chunks_skipped_total",
                              "Chunks skipped because synthd was too late to render them", {label})};
  }
};

}  // namespace auralis
