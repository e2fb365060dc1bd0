// SPDX-License-Identifier: MIT
// Metrics that every daemon publishes about its own process, from its housekeeping thread. Not measured by
// metricsd: a pid is meaningless in another container.
#pragma once

#include <string>
#include <utility>

#include "common/metrics/metric_names.h"
#include "common/metrics/metrics.h"

namespace auralis {

class ProcessMetrics {
  MetricBinder& m_;
  std::string process_;

 public:
  ProcessMetrics(MetricBinder& m, std::string process) : m_(m), process_(std::move(process)) {}

  Gauge memory_mb =
      m_.gauge("memory_usage_mb", "Resident memory of the process, in MiB", {{"process", process_}});
  Counter cpu_seconds =
      m_.counter(kProcessCpuSeconds, "Processor time of the daemon, user and system, in seconds",
                 {{"process", process_}});
  Counter log_dropped =
      m_.counter("auralis_log_messages_dropped_total",
                 "Log messages dropped because the log could not keep up", {{"process", process_}});

  // Measures the calling process. About once a second, from one thread.
  void sample();

 private:
  double cpu_seen_ = 0;
  double dropped_seen_ = 0;
};

}  // namespace auralis
