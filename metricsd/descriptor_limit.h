// SPDX-License-Identifier: MIT
// The limit of open descriptors of metricsd.
#pragma once

namespace auralis {

// Raises the process's soft limit of open descriptors to kDescriptors, or as far as the hard limit allows.
// Does nothing if it is already that high. Call at start, before accepting connections.
void raise_descriptor_limit();

inline constexpr unsigned long kDescriptors = 65'536;

}  // namespace auralis
