// SPDX-License-Identifier: MIT
// The dashboard's data as JSON; docs/dashboard.md describes it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "metricsd/conditions.h"
#include "metricsd/event_log.h"
#include "metricsd/history.h"

namespace auralis {

struct DaemonState {
  bool up = false;
  std::int64_t since_unix_ns = 0;  // up or down since then
  std::string message;             // of its last event
};

// Where the player is served, on the same host.
struct PlayerAddress {
  std::int64_t port = 0;
  bool tls = false;
};

// References must be valid during the call.
struct DashboardParts {
  const std::string& run_id;  // another for each start of metricsd
  const History& history;
  const Conditions& conditions;
  const EventLog& events;
  const std::array<DaemonState, 3>& daemons;  // by daemon_index()
  PlayerAddress player;
  std::int64_t chunk_ns;
};

// The history's points from `first`, which is kept, to the newest one, what happened in them, and the current
// state.
std::string dashboard_json(const DashboardParts& parts, std::uint64_t first);

}  // namespace auralis
