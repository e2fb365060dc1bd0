// SPDX-License-Identifier: MIT
// Chooses what to do with a listener that does not keep up: a pure function, so that every case can be
// tested.
#pragma once

#include <cstddef>
#include <cstdint>

namespace auralis {

// How a listener stands.
struct Backlog {
  std::int64_t oldest_age_ns = 0;  // how long its oldest chunk has waited
  std::size_t queued_bytes = 0;    // of all that waits or is in flight
  std::int64_t since_progress_ns =
      0;                          // since the kernel last took a part of the message in flight; 0: none is
  std::size_t queued_chunks = 0;  // that wait
  bool can_step_down = false;     // it is sent PCM, and offered Opus, too
};

struct BacklogLimits {
  std::int64_t age_ns = 2'000'000'000;
  std::size_t bytes = 1'048'576;
};

enum class BacklogAction {
  kSend,        // nothing: it keeps up
  kSkipOldest,  // drop the oldest waiting chunk, and ask again
  kStepDown,    // send Opus from now on, a tenth of the bytes, and ask again
  kClose,       // no progress for kNoProgressCloseNs: it cannot be heard any more
};

inline constexpr std::int64_t kNoProgressCloseNs = 10'000'000'000;

constexpr BacklogAction backlog_action(const Backlog& backlog, const BacklogLimits& limits) {
  if (backlog.since_progress_ns >= kNoProgressCloseNs) return BacklogAction::kClose;
  const bool too_old = backlog.oldest_age_ns > limits.age_ns;
  const bool too_much = backlog.queued_bytes > limits.bytes;
  if (backlog.queued_chunks == 0 || !(too_old || too_much)) return BacklogAction::kSend;
  return backlog.can_step_down ? BacklogAction::kStepDown : BacklogAction::kSkipOldest;
}

}  // namespace auralis
