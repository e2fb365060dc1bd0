// SPDX-License-Identifier: MIT
// The line of a running daemon in `systemctl status`, taken from the segments that every reader sees, so that
// the audio path has no part in it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/daemon/healthcheck.h"
#include "common/metrics/metrics_segment.h"
#include "common/segments/audio_segment.h"

namespace auralis {

// One thread, which may make a few system calls.
class StatusReport {
 public:
  // `clock` outlives it.
  StatusReport(const Config& config, Daemon daemon, const Clock& clock);

  // One line, about every five seconds:
  //   synthd    "2 stations, depth 799 ms, 0 chunks skipped/h"
  //   streamd   "2 stations, 341 listeners, depth 799 ms, 0 underruns/h"
  //   metricsd  "synthd healthy, streamd is not running"
  // Depth is the least of all stations'; counts are of the last hour, or since the daemon started.
  std::string text();

 private:
  std::string of_health();
  std::string of_stations();
  double in_last_hour(double total);

  const Clock& clock_;
  Daemon daemon_;
  AudioReader audio_;
  MetricsReader metrics_;                               // the daemon's own
  std::vector<std::pair<Daemon, DaemonHealth>> peers_;  // of metricsd
  struct Count {
    std::int64_t at_ns = 0;
    double total = 0;
  };
  std::deque<Count> counts_;       // of the last hour, oldest first
  std::string last_ = "starting";  // text of stations
};

}  // namespace auralis
