// SPDX-License-Identifier: MIT
// Snapshots and events as JSON, for subscribers.
#pragma once

#include <cstdint>
#include <string>

#include "metricsd/snapshot.h"

namespace auralis {

// {"seq", "time" (Unix seconds), "metrics": [{"name", "type", "help", "labels", and "value" or, of a
// histogram, "count", "sum" and "buckets": [[bound, count of values not above it], ..., ["+Inf", count]]}]}
std::string snapshot_json(const Snapshot& snapshot, std::uint64_t seq);

// {"seq", "time" (Unix seconds), "process", "event": "up" or "down", "message"}
std::string event_json(const DaemonEvent& event, std::int64_t unix_ns, std::uint64_t seq);

}  // namespace auralis
