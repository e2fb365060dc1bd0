// SPDX-License-Identifier: MIT
// Metrics that every daemon publishes about its own process, from its housekeeping thread. Not measured by
// metricsd: a pid is meaningless in another container.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/build_info.h"
#include "common/metrics/late_labels.h"
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

  Gauge resident_anon_mb = resident("anon");
  Gauge resident_file_mb = resident("file");
  Gauge resident_shmem_mb = resident("shmem");
  Gauge open_fds = m_.gauge("process_open_fds", "Open file descriptors", {{"process", process_}});
  Gauge max_fds = m_.gauge("process_max_fds", "Limit of open file descriptors", {{"process", process_}});
  Gauge threads = m_.gauge("process_threads", "Threads of the process", {{"process", process_}});
  Gauge start_time_seconds = m_.gauge("process_start_time_seconds",
                                      "Start of the process, in seconds since 1970", {{"process", process_}});
  Counter starts = m_.counter("auralis_daemon_starts_total", "Starts of the process since its counters began",
                              {{"process", process_}});
  Gauge build_info = m_.gauge("auralis_build_info", "1; the labels name the build",
                              {{"process", process_},
                               late_label("version", kVersionLabel),
                               late_label("commit", kCommitLabel),
                               late_label("compiler", kCompilerLabel)});

  Gauge reload_successful = m_.gauge(
      "auralis_config_last_reload_successful",
      "1 if the configuration was valid when it was last loaded, 0 if it was refused and the former one "
      "stays in force",
      {{"process", process_}});
  Gauge reload_seconds =
      m_.gauge("auralis_config_last_reload_timestamp_seconds",
               "Time at which the configuration was last loaded or refused, in seconds since 1970",
               {{"process", process_}});

  // Counts a start, which loaded a valid configuration. Call once, by the thread of sample() or before it
  // runs. The late labels of auralis_build_info are set by set_build_labels().
  void begin();

  // Notes that the configuration was loaded again, or refused. The thread of sample().
  void note_reload(bool successful);

  // Measures the calling process. About once a second, from one thread.
  void sample();

 private:
  Gauge resident(std::string_view kind) {
    return m_.gauge("auralis_memory_mb",
                    "Resident memory by kind, in MiB: anon is the process's own; file is programs and mapped "
                    "files; shmem is shared memory, counted in each process that maps it",
                    {{"process", process_}, {"kind", std::string(kind)}});
  }
  void sample_memory();
  void sample_descriptors();

  double cpu_seen_ = 0;
  double dropped_seen_ = 0;
};

// Sets the late labels of auralis_build_info.
inline void set_build_labels(LateLabelWriter& labels) {
  labels.set_late_label(kVersionLabel, as_late_text(build_version()));
  labels.set_late_label(kCommitLabel, as_late_text(build_commit()));
  labels.set_late_label(kCompilerLabel, as_late_text(build_compiler()));
}

}  // namespace auralis
