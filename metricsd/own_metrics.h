// SPDX-License-Identifier: MIT
// The metrics of metricsd itself: about its own work, and derived from the counters of the other daemons.
// metricsd has no segment: they are stored on its heap and read like those of the others.
#pragma once

#include <array>
#include <string>

#include "common/config/config.h"
#include "common/metrics/audio_metrics.h"
#include "common/metrics/metric_names.h"
#include "common/metrics/metrics.h"
#include "common/metrics/process_metrics.h"
#include "common/metrics/station_labels.h"

namespace auralis {

inline constexpr const char* kRingDepth = "ring_buffer_depth_ms";
inline constexpr std::array<Daemon, 3> kDaemons{Daemon::kSynthd, Daemon::kStreamd, Daemon::kMetricsd};
constexpr std::size_t daemon_index(Daemon daemon) { return static_cast<std::size_t>(daemon); }

// One thread at a time; the binder's memory must outlive it.
class OwnMetrics {
  MetricBinder& m_;

  static std::vector<MetricLabel> of(Daemon daemon) {
    return {{"process", std::string(daemon_name(daemon))}};
  }
  Gauge process_cpu(Daemon daemon) {
    return m_.gauge(
        "cpu_utilization_percent",
        "Processor time used over the last 5 seconds, in percent of all cores of the machine: of the "
        "whole machine, or of the labelled process",
        of(daemon));
  }
  Gauge heartbeat_age(Daemon daemon) {
    return m_.gauge("auralis_heartbeat_age_seconds",
                    "Time since the process's last heartbeat, in seconds; absent if it does not run",
                    of(daemon));
  }
  Gauge process_up(Daemon daemon) {
    return m_.gauge("auralis_up", "1 while the process is healthy, 0 if it is absent or hangs", of(daemon));
  }
  Gauge folder_free(const char* folder) {
    return m_.gauge("auralis_filesystem_free_percent",
                    "Free space of the file system of the folder with the segments (runtime) or the log "
                    "files (log), in percent; absent if there are no log files",
                    {{"folder", folder}});
  }
  Counter samples_withheld(Daemon daemon) {
    return m_.counter(
        "auralis_samples_withheld_total",
        "Samples of the process withheld because they were impossible, fell or jumped: another process "
        "overwrites its segment",
        of(daemon));
  }

 public:
  // Of one configured station's ring, or the least values of all personal ones.
  struct RingMetrics {
    Gauge depth_ms;
    Gauge utilization_percent;
  };

  explicit OwnMetrics(MetricBinder& m) : m_(m) {
    for (std::size_t i = 0; i < kStationLabels; ++i) {
      rings[i] = ring(late_label("station", i));
      audio[i] = declare_audio_metrics(m, "published", late_label("station", i));
    }
  }

  // Set by RingDepths.
  std::array<RingMetrics, kStationLabels> rings;  // by StationLabels
  RingMetrics personal_ring = ring({"station", std::string(kPersonalLabel)});

  // Set by RingMeters.
  std::array<AudioMetrics, kStationLabels> audio;  // by StationLabels

  // Set by DerivedMetrics.
  Gauge delivery_variance_ms = m_.gauge(
      "audio_chunk_delivery_variance_ms",
      "Standard deviation of the intervals between two sends to a listener, over the last minute, in "
      "milliseconds");
  Gauge success_rate =
      m_.gauge("websocket_chunk_delivery_success_rate",
               "Share of the chunks that were sent within a second of their due time, over "
               "the last minute, in percent of those that were due to listeners that stayed; "
               "absent if there were none");
  Gauge bandwidth_mbps =
      m_.gauge("network_bandwidth_mbps",
               "Bit rate of streamd to all listeners over the last 5 seconds, in megabits per second");
  Gauge gpu_percent =
      m_.gauge("gpu_utilization_percent",
               "Share of the time in which the GPU was busy, in percent, by its driver; where "
               "that does not tell, busy for synthd over the last 5 seconds; absent where no GPU "
               "renders");
  Gauge engine_percent =
      m_.gauge("auralis_engine_utilization_percent",
               "Share of the last 5 seconds in which the native engine, or OpenCL on a processor, "
               "rendered, in percent; absent where a GPU renders");
  Gauge machine_cpu_percent = m_.gauge(
      "cpu_utilization_percent",
      "Processor time used over the last 5 seconds, in percent of all cores of the machine: of the whole "
      "machine, or of the labelled process");
  std::array<Gauge, 3> cpu_percent{
      {process_cpu(Daemon::kSynthd), process_cpu(Daemon::kStreamd), process_cpu(Daemon::kMetricsd)}};

  // Set by SnapshotSource.
  Counter chunks_uncounted = m_.counter(
      kChunksUncounted,
      "Chunks that fell due to the listeners of a streamd that hung until it was killed, and so did "
      "not count them; estimated from its listeners and the time");

  // Set by SnapshotSource. Of the GPU that renders, as its driver tells, at most 15 seconds old.
  Gauge gpu_memory_total_mb = m_.gauge("auralis_gpu_memory_total_mb",
                                       "Memory that the GPU has, in MiB; absent if its driver does not tell");
  Gauge gpu_temperature =
      m_.gauge("auralis_gpu_temperature_celsius",
               "Temperature of the GPU, in degrees Celsius; absent if its driver does not tell");
  Gauge gpu_power = m_.gauge("auralis_gpu_power_watts",
                             "Power that the GPU takes, in watts; absent if its driver does not tell");
  std::array<Gauge, 2> heartbeat_age_s{{heartbeat_age(Daemon::kSynthd), heartbeat_age(Daemon::kStreamd)}};
  std::array<Gauge, 3> up{
      {process_up(Daemon::kSynthd), process_up(Daemon::kStreamd), process_up(Daemon::kMetricsd)}};
  std::array<Counter, 2> withheld{{samples_withheld(Daemon::kSynthd), samples_withheld(Daemon::kStreamd)}};
  std::array<Gauge, 2> free_percent{{folder_free("runtime"), folder_free("log")}};
  Counter scrapes = m_.counter("auralis_scrapes_total", "Responses to GET /metrics");
  Gauge scrape_seconds =
      m_.gauge("auralis_scrape_duration_seconds",
               "Time to read and write all metrics for the last response to GET /metrics, in seconds; absent "
               "before the second");
  Counter published = m_.counter("auralis_snapshots_published_total", "Snapshots published through ZeroMQ");
  ProcessMetrics process{m_, std::string(daemon_name(Daemon::kMetricsd))};

 private:
  RingMetrics ring(const MetricLabel& label) {
    return {
        m_.gauge(kRingDepth,
                 "Audio in the ring ahead of now, in milliseconds; negative once it ran dry; the least of "
                 "all personal stations",
                 {label}),
        m_.gauge("ring_buffer_utilization_percent",
                 "Share of the ring that holds audio ahead of now, in percent; the least of all personal "
                 "stations",
                 {label})};
  }
};

}  // namespace auralis
