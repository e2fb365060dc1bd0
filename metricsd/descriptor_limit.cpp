// SPDX-License-Identifier: MIT
#include "metricsd/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace auralis {

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kDescriptors) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, kDescriptors);
  ::setrlimit(RLIMIT_NOFILE, &limit);  // on failure the old limit stays, which is enough for some clients
}

}  // namespace auralis
