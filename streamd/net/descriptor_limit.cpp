// SPDX-License-Identifier: MIT
#include "streamd/net/descriptor_limit.h"

#include <sys/resource.h>

#include <string>

namespace auralis {
namespace {

// Segments, the log, listening sockets, sockets about to be closed.
constexpr std::int64_t kBesideConnections = 64;

}  // namespace

void allow_descriptors(std::int64_t listeners) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const auto needed = static_cast<rlim_t>(listeners + kPlainConnections + kBesideConnections);
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed) return;
  throw DescriptorError("only " + std::to_string(limit.rlim_cur) + " descriptors may be open, but " +
                        std::to_string(listeners) + " listeners (max_listeners) need " +
                        std::to_string(needed) +
                        "; raise the limit (LimitNOFILE=, ulimit -n) or lower max_listeners");
}

}  // namespace auralis
