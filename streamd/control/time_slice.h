// SPDX-License-Identifier: MIT
// Visits many items in turn, for a bounded time per call.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

#include "common/base/clock.h"
#include "common/base/thread_checker.h"

namespace auralis {

// One thread.
class TimeSlice {
 public:
  // Calls `visit(index)` for the indices below `count`, from where the last call stopped on, each at most
  // once, until `limit_ns` have passed; at least for one.
  template <typename Visit>
  void run(const Clock& clock, std::int64_t limit_ns, std::size_t count, const Visit& visit) {
    assert(checker_.is_current());
    const std::int64_t end_ns = clock.now_ns() + limit_ns;
    for (std::size_t visited = 0; visited < count; ++visited) {
      if (visited > 0 && clock.now_ns() >= end_ns) return;
      if (next_ >= count) next_ = 0;
      visit(next_++);
    }
  }

 private:
  ThreadChecker checker_;
  std::size_t next_ = 0;
};

}  // namespace auralis
