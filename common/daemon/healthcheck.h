// SPDX-License-Identifier: MIT
// Whether a daemon with segments is healthy, as others find it: what it makes can be had.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/segments/segment.h"

namespace auralis {

// All segments of synthd or streamd, looked at from outside. One thread.
class DaemonHealth {
 public:
  DaemonHealth(const Config& config, Daemon daemon);

  // What is wrong now, as a sentence with the daemon's name; nothing if each segment is there under its name,
  // and its writer holds it and beats. Some system calls.
  std::optional<std::string> problem(std::int64_t now_ns);

 private:
  std::string name_;
  std::vector<SegmentReader> segments_;
};

// What `--healthcheck` of such a daemon does: 0 or 1, the exit status, and a sentence on `out`. Of synthd
// also whether chunks are there in time.
int healthcheck(const Config& config, Daemon daemon, std::int64_t now_ns, std::ostream& out);

}  // namespace auralis
