// SPDX-License-Identifier: MIT
// Detects that this process, or the whole machine, was just stopped (SIGSTOP, a paused virtual machine):
// heartbeats, which are judged by their age, then need a grace period. ProcessTime, in contrast, measures how
// long the process ran.
#pragma once

#include <cstdint>

namespace auralis {

// Watches the moments (CLOCK_MONOTONIC) of work that is done each second. One thread at a time.
class Absence {
 public:
  // A longer gap between two steps is an absence.
  static constexpr std::int64_t kGapNs = 2'500'000'000;
  // Grace period after it for the other daemons, which may have been stopped, too.
  static constexpr std::int64_t kGraceNs = 2'000'000'000;

  // Notes a step of the work that is done each second. If every step is late, that is slowness, not absence.
  void step(std::int64_t now_ns) {
    const bool late = last_ns_ != 0 && now_ns - last_ns_ > kGapNs;
    if (late && !noticed_ && !last_was_late_) back_ns_ = now_ns;
    last_was_late_ = late;
    noticed_ = false;
    last_ns_ = now_ns;
  }

  // Notes activity between two steps, possibly the first after an absence.
  void look(std::int64_t now_ns) {
    if (noticed_ || last_was_late_ || last_ns_ == 0 || now_ns - last_ns_ <= kGapNs) return;
    noticed_ = true;
    back_ns_ = now_ns;
  }

  // Whether an absence ended less than kGraceNs ago.
  bool lately(std::int64_t now_ns) const { return back_ns_ != 0 && now_ns - back_ns_ < kGraceNs; }

 private:
  std::int64_t last_ns_ = 0;  // 0: none yet
  std::int64_t back_ns_ = 0;  // end of the last absence; 0: none yet
  bool noticed_ = false;      // by look(), since the last step
  bool last_was_late_ = false;
};

}  // namespace auralis
