// SPDX-License-Identifier: MIT
// The figures that metricsd itself owns: those of its own work, and those that it derives from the counters
// of the others. metricsd has no segment: they live on its heap and are read like everybody else's.
#pragma once

#include <array>
#include <string>

#include "common/config/config.h"
#include "common/metrics/metrics.h"
#include "common/metrics/process_metrics.h"

namespace auralis {

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
        "Processor time in use over the last 5 seconds, in percent of all cores of the machine: of the "
        "whole machine, or of the process that the label names",
        of(daemon));
  }
  Gauge process_up(Daemon daemon) {
    return m_.gauge("auralis_up", "1 while the process is at work, 0 where it is not there or hangs",
                    of(daemon));
  }
  Counter samples_withheld(Daemon daemon) {
    return m_.counter(
        "auralis_samples_withheld_total",
        "Samples of the process that were read and not shown, since they were impossible or had "
        "fallen: something writes where only the process may",
        of(daemon));
  }

 public:
  explicit OwnMetrics(MetricBinder& m) : m_(m) {}

  // Set by DerivedMetrics.
  Gauge delivery_variance_ms = m_.gauge(
      "audio_chunk_delivery_variance_ms",
      "Standard deviation of the intervals between two sends to a listener, over the last minute, in "
      "milliseconds");
  Gauge success_rate = m_.gauge(
      "websocket_chunk_delivery_success_rate",
      "Chunks sent of those tried (sent and failed) over the last minute, in percent; absent when none was");
  Gauge bandwidth_mbps =
      m_.gauge("network_bandwidth_mbps",
               "Sent by streamd to all listeners over the last 5 seconds, in megabits a second");
  Gauge gpu_percent =
      m_.gauge("gpu_utilization_percent",
               "Time in which the device that renders was at work for synthd, over the last 5 "
               "seconds, in percent");
  Gauge machine_cpu_percent = m_.gauge(
      "cpu_utilization_percent",
      "Processor time in use over the last 5 seconds, in percent of all cores of the machine: of the whole "
      "machine, or of the process that the label names");
  std::array<Gauge, 3> cpu_percent{
      {process_cpu(Daemon::kSynthd), process_cpu(Daemon::kStreamd), process_cpu(Daemon::kMetricsd)}};

  // Set by SnapshotSource.
  std::array<Gauge, 3> up{
      {process_up(Daemon::kSynthd), process_up(Daemon::kStreamd), process_up(Daemon::kMetricsd)}};
  std::array<Counter, 2> withheld{{samples_withheld(Daemon::kSynthd), samples_withheld(Daemon::kStreamd)}};
  Counter scrapes = m_.counter("auralis_scrapes_total", "Answers given at /metrics");
  Counter published = m_.counter("auralis_snapshots_published_total", "Snapshots published through ZeroMQ");
  ProcessMetrics process{m_, std::string(daemon_name(Daemon::kMetricsd))};
};

}  // namespace auralis
