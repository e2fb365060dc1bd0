// SPDX-License-Identifier: MIT
// How many descriptors metricsd may have open.
#pragma once

namespace auralis {

// Raises the process's soft limit of open descriptors to kDescriptors, or as far as the hard limit allows.
// Does nothing if it is that high. At start, before connections are taken.
void raise_descriptor_limit();

inline constexpr unsigned long kDescriptors = 65'536;

}  // namespace auralis
