// SPDX-License-Identifier: MIT
// Token bucket: limits a rate and the size of bursts. Pure: the time is passed in. One thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "common/base/clock.h"

namespace auralis {

class TokenBucket {
 public:
  // Both at least 1. Starts full.
  TokenBucket(std::int64_t per_second, std::int64_t burst)
      : interval_ns_(kNsPerSecond / per_second), room_ns_(burst * interval_ns_) {}

  // Takes a token if there is one. `now_ns`: any clock that does not jump; a time before that of an earlier
  // call counts as that one.
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
  std::int64_t room_ns_;  // time to fill an empty bucket
  // The fill level is stored as the time at which the bucket will be full, so nothing needs periodic updates.
  std::int64_t full_at_ns_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace auralis
