// SPDX-License-Identifier: MIT
// Names of the counters that metricsd derives metrics from. The daemons declare them with these constants and
// require them (MetricBinder::require_counters), and metricsd looks them up with the same: a missing counter
// fails the daemon's start, instead of silently leaving a derived metric absent.
#pragma once

#include <array>

namespace auralis {

// Of each daemon.
inline constexpr const char* kProcessCpuSeconds = "auralis_process_cpu_seconds_total";

// Of synthd. kGpuMemory is a gauge, present where a GPU renders; kEngineInfo names it in the label
// kDeviceName.
inline constexpr const char* kGpuMemory = "gpu_memory_allocated_mb";
inline constexpr const char* kEngineInfo = "auralis_engine_info";
inline constexpr const char* kDeviceName = "device";
inline constexpr const char* kDeviceBusySeconds = "auralis_engine_device_busy_seconds_total";

// Of streamd.
inline constexpr const char* kChunksDue = "auralis_chunks_due_total";
inline constexpr const char* kChunksOnTime = "auralis_chunks_on_time_total";
inline constexpr const char* kChunksDropped = "websocket_chunks_dropped_total";
inline constexpr const char* kBytesSent = "network_bytes_sent_total";
inline constexpr const char* kSendIntervals = "auralis_send_intervals_total";
inline constexpr const char* kSendLateMs = "auralis_send_interval_late_ms_total";
inline constexpr const char* kSendEarlyMs = "auralis_send_interval_early_ms_total";
inline constexpr const char* kSendDeviationSquares = "auralis_send_interval_ms_squares_total";

// Of metricsd. kStationListeners is a gauge of streamd.
inline constexpr const char* kChunksUncounted = "auralis_chunks_uncounted_total";
inline constexpr const char* kStationListeners = "auralis_listeners";

// Of auralis-probe: its metrics begin with kProbePrefix.
inline constexpr const char* kProbePrefix = "auralis_probe_";
inline constexpr const char* kProbeSuccess = "auralis_probe_success";
inline constexpr const char* kProbeChunksReceived = "auralis_probe_chunks_received";
inline constexpr const char* kProbeChunksWrong = "auralis_probe_chunks_wrong";
inline constexpr const char* kProbeLastRun = "auralis_probe_last_run_timestamp_seconds";

// A counter: all series of a name, or those with a label of that value.
struct CounterName {
  const char* name;
  const char* label_value = nullptr;
};
inline constexpr std::array<CounterName, 2> kDerivedFromSynthd{{{kProcessCpuSeconds}, {kDeviceBusySeconds}}};
inline constexpr std::array<CounterName, 9> kDerivedFromStreamd{{{kProcessCpuSeconds},
                                                                 {kChunksDue},
                                                                 {kChunksOnTime},
                                                                 {kChunksDropped, "disconnect"},
                                                                 {kBytesSent},
                                                                 {kSendIntervals},
                                                                 {kSendLateMs},
                                                                 {kSendEarlyMs},
                                                                 {kSendDeviationSquares}}};

}  // namespace auralis
