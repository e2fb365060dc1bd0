// SPDX-License-Identifier: MIT
// How each alert rule is measured (AlertRule::measure): what it compares with its threshold, at the history's
// newest point, for each station or process that can be measured now.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/metrics/metric_names.h"
#include "metricsd/history_queries.h"
#include "metricsd/memory_hour.h"

namespace auralis {

struct AlertReading {
  std::string subject;  // the station or process; empty: the service as a whole
  double measured = 0;
  bool counts = true;  // false: shown only, since the rule's other conditions do not hold
};
using AlertReadings = std::vector<AlertReading>;

// What rules are measured in.
struct AlertInput {
  const History& history;
  const MemoryHour& memory;
  double threshold = 0;  // of the rule
};

namespace measures {

inline constexpr std::string_view kActive = "websocket_active_connections";
inline constexpr std::string_view kBehind = "auralis_listeners_behind";
inline constexpr std::string_view kDepth = "ring_buffer_depth_ms";
inline constexpr std::string_view kFailovers = "auralis_engine_failovers_total";
inline constexpr std::string_view kFree = "auralis_filesystem_free_percent";
inline constexpr std::string_view kGpu = "gpu_utilization_percent";
inline constexpr std::string_view kLogLoss = "auralis_log_messages_dropped_total";
inline constexpr std::string_view kLoudness = "auralis_audio_loudness_lufs";
inline constexpr std::string_view kProbeSucceeded = kProbeSuccess;
inline constexpr std::string_view kProbeWrong = kProbeChunksWrong;
inline constexpr std::string_view kReload = "auralis_config_last_reload_successful";
inline constexpr std::string_view kStarts = "auralis_daemon_starts_total";
inline constexpr std::string_view kSuccess = "websocket_chunk_delivery_success_rate";
inline constexpr std::string_view kUp = "auralis_up";
inline constexpr std::string_view kUtilization = "ring_buffer_utilization_percent";
inline constexpr std::string_view kVariance = "audio_chunk_delivery_variance_ms";

inline constexpr std::int64_t kMinuteNs = 60 * kNsPerSecond;
// An older result of auralis-probe tells nothing about now; it is still shown. As the rule has it, to within
// a minute: the history's numbers are no more precise.
inline constexpr double kProbeResultAgeS = 900;

// The label by which the series of a rule differ.
inline std::string subject_of(const History::Series& series) {
  return series.labels.empty() ? std::string() : series.labels.front().value;
}

// A gauge, by its first label.
template <const std::string_view& name>
AlertReadings gauges(const AlertInput& input) {
  AlertReadings readings;
  for_each_gauge(input.history, name, [&](const History::Series& series, double value) {
    readings.push_back({subject_of(series), value});
  });
  return readings;
}

// By how much a counter rose within ten minutes, by its first label.
template <const std::string_view& name>
AlertReadings increases(const AlertInput& input) {
  AlertReadings readings;
  for_each_series(input.history, name, [&](const History::Series& series) {
    readings.push_back({subject_of(series), input.history.increase(series, 10 * kMinuteNs)});
  });
  return readings;
}

// A figure of recent results of auralis-probe, by station.
template <const std::string_view& name>
AlertReadings probes(const AlertInput& input) {
  const History& history = input.history;
  const double now_s = static_cast<double>(history.unix_ns(history.newest())) / kNsPerSecond;
  AlertReadings readings;
  for_each_gauge(history, kProbeLastRun, [&](const History::Series& run, double run_s) {
    if (now_s - run_s >= kProbeResultAgeS) return;
    for_each_gauge(history, name, [&](const History::Series& series, double value) {
      if (same_labels(series.labels, run.labels)) readings.push_back({subject_of(series), value});
    });
  });
  return readings;
}

// Seconds of the last minute, of each configured station; of the service, for each listener; and how long
// streamd has stood still, with listeners.
AlertReadings dead_air(const AlertInput& input);
AlertReadings underruns(const AlertInput& input);
AlertReadings synthesis(const AlertInput& input);
AlertReadings refused(const AlertInput& input);
AlertReadings unserved(const AlertInput& input);
AlertReadings delivery(const AlertInput& input);
AlertReadings jitter(const AlertInput& input);
AlertReadings end_to_end(const AlertInput& input);
AlertReadings startup(const AlertInput& input);
AlertReadings cpu(const AlertInput& input);
AlertReadings memory_growth(const AlertInput& input);
AlertReadings variance(const AlertInput& input);
AlertReadings low_utilization(const AlertInput& input);
AlertReadings own_memory(const AlertInput& input);
AlertReadings gpu_memory(const AlertInput& input);
AlertReadings bandwidth(const AlertInput& input);
AlertReadings least_behind(const AlertInput& input);
AlertReadings player_silence(const AlertInput& input);

}  // namespace measures
}  // namespace auralis
