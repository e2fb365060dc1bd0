// SPDX-License-Identifier: MIT
// At the limit of open descriptors websocketpp accepts in a tight loop at 100 % of a core: there must be room
// for every listener that the configuration admits.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace auralis {

// Open sockets beside the listeners': requests over plain HTTP, and upgrades under way.
inline constexpr std::int64_t kPlainConnections = 128;
// Of them, those of one address.
inline constexpr std::int64_t kPlainConnectionsPerAddress = 32;

// Too few descriptors: how many there are, how many are needed, what to do.
struct DescriptorError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Raises the process's limit of open descriptors as far as it may. Throws DescriptorError where that is not
// enough for `listeners` and what else streamd opens.
void allow_descriptors(std::int64_t listeners);

}  // namespace auralis
