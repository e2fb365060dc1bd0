// SPDX-License-Identifier: MIT
// Events as spans: what began, lasted, and is over.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "metricsd/event_log.h"

namespace auralis {

struct EventSpan {
  LoggedEvent event;  // as last extended; of what is not counted, the one that began it
  std::int64_t end_unix_ns = 0;
};

// A daemon that was up, and is down or hangs, lasts until it is up again, a condition until it is cleared,
// what is counted until it has not been counted for EventLog::kTogetherNs. Anything else takes no time. One
// thread at a time.
class EventSpans {
 public:
  // `events`: noted or extended in the second that ends at `unix_ns`. Returns what is over.
  std::vector<EventSpan> add(const std::vector<LoggedEvent>& events, std::int64_t unix_ns);

 private:
  std::map<std::uint64_t, LoggedEvent> counted_;     // by id
  std::map<std::string, LoggedEvent> conditions_;    // that fire, by name
  std::set<std::string> daemons_up_;                 // by name
  std::map<std::string, LoggedEvent> daemons_down_;  // or hang; likewise
};

}  // namespace auralis
