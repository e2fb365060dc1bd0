// SPDX-License-Identifier: MIT
// How often something may happen: so many times a second, and a burst of so many at once. Pure: the time is
// passed in. Not for several threads at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "common/base/clock.h"

namespace auralis {

class TokenBucket {
 public:
  // Both at least 1. It begins full.
  TokenBucket(std::int64_t per_second, std::int64_t burst)
      : interval_ns_(kNsPerSecond / per_second), room_ns_(burst * interval_ns_) {}

  // True, and one token fewer, if there was one. On any clock that does not jump; a time before that of an
  // earlier call is as good as that one.
  bool take(std::int64_t now_ns) {
    const std::int64_t full_at_ns = std::max(full_at_ns_, now_ns) + interval_ns_;
    if (full_at_ns - now_ns > room_ns_) return false;
    full_at_ns_ = full_at_ns;
    return true;
  }

  // Whether take() would succeed.
  bool has_one(std::int64_t now_ns) const {
    return std::max(full_at_ns_, now_ns) + interval_ns_ - now_ns <= room_ns_;
  }
  bool is_full(std::int64_t now_ns) const { return full_at_ns_ <= now_ns; }

 private:
  std::int64_t interval_ns_;
  std::int64_t room_ns_;  // the time in which an empty one becomes full
  // What it holds is the time by which it is not full yet, so nothing is to be added up as time goes by.
  std::int64_t full_at_ns_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace auralis
