// SPDX-License-Identifier: MIT
// Checks that the limit of open descriptors has room for every listener that the configuration admits: at the
// limit the Acceptor would have to pause, and refuse listeners that the configuration promises to serve.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace auralis {

// Open sockets besides the listeners': requests over plain HTTP, and upgrades in progress.
inline constexpr std::int64_t kPlainConnections = 128;
// Of these, per client address.
inline constexpr std::int64_t kPlainConnectionsPerAddress = 32;

// Too few descriptors: how many are available, how many are needed, what to do.
struct DescriptorError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Raises the process's soft limit of open descriptors to the hard limit. Throws DescriptorError if that is
// not enough for `listeners` and the rest of streamd.
void allow_descriptors(std::int64_t listeners);

}  // namespace auralis
