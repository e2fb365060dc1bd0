// SPDX-License-Identifier: MIT
#include "common/daemon/realtime.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <string>

#include "common/base/log.h"

namespace auralis {

bool lock_memory() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY) return false;
  // WHY on fault: drivers of GPUs reserve far more than they use.
  return ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

bool run_in_real_time() {
  // WHY not whatever root may do: a thread that waits for another one of real time waits long, so not by
  // chance.
  rlimit limit{};
  if (::getrlimit(RLIMIT_RTPRIO, &limit) != 0 || limit.rlim_cur == 0) return false;
  sched_param priority{};
  priority.sched_priority = ::sched_get_priority_min(SCHED_RR);
  return ::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &priority) == 0;
}

void log_missing_protection(bool memory_locked, bool real_time) {
  std::string missing;
  if (!real_time) missing = "LimitRTPRIO=1";
  if (!memory_locked) missing += (missing.empty() ? "" : ", ") + std::string("LimitMEMLOCK=infinity");
  if (!missing.empty())
    log_info("not protected from a busy machine: the limits do not allow it", {{"missing", missing}});
}

}  // namespace auralis
