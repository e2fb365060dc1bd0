// SPDX-License-Identifier: MIT
// What auralis-probe heard last, as text: where the links of alerts lead.
#pragma once

#include <string>

#include "metricsd/snapshot.h"

namespace auralis {

// A line for each stream that was probed, in the order of their stations; or how to probe one.
std::string probe_page(const Snapshot& snapshot);

}  // namespace auralis
