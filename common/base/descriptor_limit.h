// SPDX-License-Identifier: MIT
// The process's limit of open descriptors.
#pragma once

#include <cstdint>

namespace auralis {

// Raises the soft limit to `wanted` descriptors, or as far as the hard limit allows; never lowers it. Returns
// how many may be open then. Call at the start, before other threads run.
std::uint64_t raise_descriptor_limit(std::uint64_t wanted);

}  // namespace auralis
