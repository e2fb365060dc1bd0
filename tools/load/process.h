// SPDX-License-Identifier: MIT
// Processor time and memory of a process, from /proc. Any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace auralis {

struct ProcessUsage {
  double cpu_s = 0;                     // of all its threads, in user and system mode, since it began
  std::int64_t rss_kib = 0;             // resident
  std::optional<std::int64_t> pss_kib;  // proportional set size; absent without permission
};

// Nothing if there is no such process.
std::optional<ProcessUsage> process_usage(pid_t pid);

// Processor time of this process, in microseconds' resolution.
double own_cpu_s();

}  // namespace auralis
