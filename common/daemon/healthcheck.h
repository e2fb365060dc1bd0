// SPDX-License-Identifier: MIT
// Checks from outside whether a daemon with segments is healthy: its output is available.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/segments/segment.h"

namespace auralis {

// The segments of synthd or streamd, viewed from another process. One thread.
class DaemonHealth {
 public:
  DaemonHealth(const Config& config, Daemon daemon);

  // The current problem, as a sentence with the daemon's name; nothing if each segment exists under its name,
  // its writer holds its lock, and its heartbeat is recent. Makes a few system calls.
  std::optional<std::string> problem(std::int64_t now_ns);

 private:
  std::string name_;
  std::vector<SegmentReader> segments_;
};

// Runs `--healthcheck` of such a daemon: returns the exit status, 0 or 1, and writes a sentence to `out`. For
// synthd, also checks that chunks are written in time.
int healthcheck(const Config& config, Daemon daemon, std::int64_t now_ns, std::ostream& out);

}  // namespace auralis
