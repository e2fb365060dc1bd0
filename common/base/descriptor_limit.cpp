// SPDX-License-Identifier: MIT
#include "common/base/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace auralis {

std::uint64_t raise_descriptor_limit(std::uint64_t wanted) {
  // RLIM_INFINITY is the largest number.
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  rlimit raised = limit;
  raised.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted);
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

}  // namespace auralis
