// SPDX-License-Identifier: MIT
// Messages to ZeroMQ subscribers as JSON; docs/zeromq.md and docs/schemas/metricsd-messages.json describe
// them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "metricsd/event_log.h"
#include "metricsd/run.h"
#include "metricsd/snapshot.h"

namespace auralis {

// `seq` rises by one a message.
std::string snapshot_json(const Snapshot& snapshot, const Run& run, std::uint64_t seq);

std::string event_json(const LoggedEvent& event, const Run& run);

std::string history_json(const std::vector<LoggedEvent>& events, const Run& run, std::int64_t unix_ns);

}  // namespace auralis
