// SPDX-License-Identifier: MIT
// What to do with a listener that does not keep up: a pure function, so that every case can be tested.
#pragma once

#include <cstdint>

namespace auralis {

// How a listener stands.
struct Backlog {
  std::int64_t oldest_age_ns = 0;  // how long its oldest queued chunk has been waiting
  std::int64_t since_progress_ns =
      0;  // how long the kernel has not taken what was handed to it; 0 if nothing is
};

enum class BacklogAction {
  kSend,        // all is well
  kSkipOldest,  // drop the oldest queued chunk, and ask again
  kClose,       // no progress for so long that nobody can be listening
};

inline constexpr std::int64_t kNoProgressCloseNs = 10'000'000'000;

constexpr BacklogAction backlog_action(const Backlog& backlog, std::int64_t max_age_ns) {
  if (backlog.since_progress_ns >= kNoProgressCloseNs) return BacklogAction::kClose;
  if (backlog.oldest_age_ns > max_age_ns) return BacklogAction::kSkipOldest;
  return BacklogAction::kSend;
}

}  // namespace auralis
