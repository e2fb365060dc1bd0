// SPDX-License-Identifier: MIT
#include "streamd/delivery/liveness.h"

#include <algorithm>

namespace auralis {

void Liveness::alive(std::int64_t now_ns, std::optional<std::int64_t> round_trip_ns) {
  last_alive_ns_ = now_ns;
  if (round_trip_ns) round_trip_ns_ = round_trip_ns;
}

Liveness::Action Liveness::check(std::int64_t now_ns, std::int64_t idle_ns) {
  if (now_ns - last_alive_ns_ >= idle_ns) return Action::kClose;
  if (now_ns - last_ping_ns_ < std::min(kPingIntervalNs, idle_ns / 3)) return Action::kWait;
  last_ping_ns_ = now_ns;
  return Action::kPing;
}

}  // namespace auralis
