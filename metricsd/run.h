// SPDX-License-Identifier: MIT
// Identifies a run of metricsd: its numbers of messages, events and points begin again with each.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/clock.h"

namespace auralis {

struct Run {
  std::string id;     // 16 hexadecimal digits, random
  std::string start;  // UTC, ISO 8601 with milliseconds
};

// A run that starts now.
Run begin_run(const Clock& clock);

// As 16 hexadecimal digits, like those of Run::id.
std::string hex_id(std::uint64_t id);

}  // namespace auralis
