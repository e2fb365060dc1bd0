// SPDX-License-Identifier: MIT
// Looks at many things in turn, for a bounded time at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/clock.h"

namespace auralis {

// One thread.
class TimeSlice {
 public:
  // Calls `look(index)` for each index below `count`, from where the last call stopped, each at most once,
  // until `limit_ns` have passed; at least for one.
  template <typename Look>
  void run(const Clock& clock, std::int64_t limit_ns, std::size_t count, const Look& look) {
    const std::int64_t end_ns = clock.now_ns() + limit_ns;
    for (std::size_t looked = 0; looked < count; ++looked) {
      if (looked > 0 && clock.now_ns() >= end_ns) return;
      if (next_ >= count) next_ = 0;
      look(next_++);
    }
  }

 private:
  std::size_t next_ = 0;
};

}  // namespace auralis
