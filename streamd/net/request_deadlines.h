// SPDX-License-Identifier: MIT
// By when requests must have come and answers must have been read: all have the same time. Pure; one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "streamd/delivery/transport.h"

namespace auralis {

class RequestDeadlines {
 public:
  explicit RequestDeadlines(std::int64_t limit_ns) : limit_ns_(limit_ns) {}

  // The deadline of something that begins now, on a clock that does not go back.
  std::int64_t add(ConnectionId id, std::int64_t now_ns) {
    waiting_.push_back({std::max<std::int64_t>(now_ns + limit_ns_, 1), id});
    return waiting_.back().at_ns;
  }

  // Calls `due(id, deadline)` for those that are over, oldest first, and forgets them. `due` may add others.
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
