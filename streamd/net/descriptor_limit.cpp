// SPDX-License-Identifier: MIT
#include "streamd/net/descriptor_limit.h"

#include <limits>
#include <string>

#include "common/base/descriptor_limit.h"

namespace auralis {
namespace {

// Segments, the log, listening sockets, sockets about to be closed.
constexpr std::int64_t kBesideConnections = 64;

}  // namespace

void allow_descriptors(std::int64_t listeners) {
  const std::uint64_t allowed = raise_descriptor_limit(std::numeric_limits<std::uint64_t>::max());
  const auto needed = static_cast<std::uint64_t>(listeners + kPlainConnections + kBesideConnections);
  if (allowed >= needed) return;
  throw DescriptorError("only " + std::to_string(allowed) + " descriptors may be open, but " +
                        std::to_string(listeners) + " listeners (max_listeners) need " +
                        std::to_string(needed) +
                        "; raise the limit (LimitNOFILE=, ulimit -n) or lower max_listeners");
}

}  // namespace auralis
