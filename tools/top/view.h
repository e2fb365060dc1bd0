// SPDX-License-Identifier: MIT
// What an operator sees at a glance, taken from a snapshot and its history. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.h"
#include "metricsd/conditions.h"
#include "metricsd/history.h"
#include "metricsd/snapshot.h"

namespace auralis {

enum class DaemonStatus {
  kUp,
  kHung,        // alive, but its heartbeat has stopped
  kDown,        // not running
  kUnreadable,  // its shared memory is not what this release reads, or may not be read
};

struct DaemonView {
  Daemon daemon = Daemon::kSynthd;
  DaemonStatus status = DaemonStatus::kDown;
  std::string problem;  // a sentence; empty if it is up
  std::optional<double> heartbeat_age_s;
  std::optional<double> cpu_percent;  // of all cores
  std::optional<double> memory_mb;
};

// The numbers of a station, or of all personal ones. Nothing: absent.
struct StationView {
  std::string name;
  std::optional<double> depth_ms;
  std::optional<double> utilization_percent;
  std::optional<double> chunks;  // published since synthd began
  // Of the last 3 s of its audio: what listeners are sent, or else what is published.
  std::optional<double> peak;  // 0 to 1
  std::optional<double> loudness_lufs;
  double underruns = 0;  // in the window
};

// Quantiles of what was observed in the window, in milliseconds; nothing if there was nothing.
struct LatencyView {
  std::string_view name;
  std::optional<double> p50;
  std::optional<double> p95;
  std::optional<double> p99;
};

struct DropView {
  std::string reason;
  double per_s = 0;  // in the window
};

// Degraded: a condition of high or critical severity holds. Down: synthd or streamd is not up. The values are
// exit statuses.
enum class Health { kHealthy = 0, kDegraded = 1, kDown = 2 };

struct View {
  std::int64_t unix_ns = 0;
  double window_s = 0;
  Health health = Health::kDown;
  std::vector<DaemonView> daemons;
  std::optional<double> listeners;
  std::optional<double> listeners_behind;
  std::map<std::string, double> listeners_by_format;
  std::optional<double> realtime_factor;
  std::optional<double> success_percent;
  std::optional<double> bandwidth_mbps;
  std::optional<double> machine_cpu_percent;
  std::vector<StationView> stations;
  std::vector<LatencyView> latencies;
  std::vector<DropView> drops;
  double overruns = 0;                                   // in the window
  std::array<Condition, kAlertRules.size()> conditions;  // in the order of kAlertRules
};

// `daemons`: with their status alone. The window is the last `span_ns` of the history.
View view_of(std::vector<DaemonView> daemons, const Snapshot& snapshot, const History& history,
             const Conditions& conditions, std::int64_t span_ns);

}  // namespace auralis
