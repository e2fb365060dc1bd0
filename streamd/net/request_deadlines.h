// SPDX-License-Identifier: MIT
// Deadlines for receiving requests and for clients to read answers, all with the same time limit. Pure. One
// thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "streamd/delivery/transport.h"

namespace auralis {

class RequestDeadlines {
 public:
  explicit RequestDeadlines(std::int64_t limit_ns) : limit_ns_(limit_ns) {}

  // Adds a deadline that starts now, and returns it. `now_ns`: a monotonic clock.
  std::int64_t add(ConnectionId id, std::int64_t now_ns) {
    waiting_.push_back({std::max<std::int64_t>(now_ns + limit_ns_, 1), id});
    return waiting_.back().at_ns;
  }

  // Calls `due(id, deadline)` for each expired deadline, oldest first, and removes it. `due` may add others.
  template <typename Due>
  void take_due(std::int64_t now_ns, const Due& due) {
    while (!waiting_.empty() && waiting_.front().at_ns <= now_ns) {
      const Deadline first = waiting_.front();
      waiting_.pop_front();
      due(first.id, first.at_ns);
    }
  }

 private:
  struct Deadline {
    std::int64_t at_ns;
    ConnectionId id;
  };
  std::int64_t limit_ns_;
  std::deque<Deadline> waiting_;  // earliest first
};

}  // namespace auralis
