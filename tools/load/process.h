// SPDX-License-Identifier: MIT
// What the kernel says of a process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace auralis {

struct ProcessUsage {
  double cpu_s = 0;                     // of all its threads, in user and system mode, since it began
  std::int64_t rss_kib = 0;             // resident
  std::optional<std::int64_t> pss_kib;  // resident, what it shares divided up; only for who may ask
};

// Nothing where there is no such process.
std::optional<ProcessUsage> process_usage(pid_t pid);

// Of this process, to the microsecond.
double own_cpu_s();

}  // namespace auralis
