// SPDX-License-Identifier: MIT
#include "common/metrics/process_metrics.h"

#include "common/base/log.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace auralis {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

void ProcessMetrics::sample() {
  std::ifstream statm("/proc/self/statm");
  double size_pages = 0;
  double resident_pages = 0;
  if (statm >> size_pages >> resident_pages) {
    memory_mb.set(resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024 * 1024));
  } else {
    memory_mb.clear();
  }

  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    const double cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    // The kernel scales user and system time separately, so that their sum may fall by a tick.
    if (cpu > cpu_seen_) {
      cpu_seconds.add(cpu - cpu_seen_);
      cpu_seen_ = cpu;
    }
  }

  const auto dropped = static_cast<double>(log_messages_dropped());
  if (dropped > dropped_seen_) {
    log_dropped.add(dropped - dropped_seen_);
    dropped_seen_ = dropped;
  }
}

}  // namespace auralis
