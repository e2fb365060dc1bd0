// SPDX-License-Identifier: MIT
// Tells that this process, or the whole machine, has just stood still (SIGSTOP, a paused virtual machine):
// what is judged by its age then needs a moment to be young again.
#pragma once

#include <cstdint>

namespace auralis {

// Watches the moments (CLOCK_MONOTONIC) of work that is done each second. One thread at a time.
class Absence {
 public:
  // A gap beyond this one between two steps is an absence, ...
  static constexpr std::int64_t kGapNs = 2'500'000'000;
  // ... after which the others, who may have stood still, too, have so long to show that they are at work.
  static constexpr std::int64_t kGraceNs = 2'000'000'000;

  // A step: the work that is done each second. Where each step comes late, that is no absence but slowness.
  void step(std::int64_t now_ns) {
    const bool late = last_ns_ != 0 && now_ns - last_ns_ > kGapNs;
    if (late && !noticed_ && !last_was_late_) back_ns_ = now_ns;
    last_was_late_ = late;
    noticed_ = false;
    last_ns_ = now_ns;
  }

  // Something between two steps, maybe the first thing after an absence.
  void look(std::int64_t now_ns) {
    if (noticed_ || last_was_late_ || last_ns_ == 0 || now_ns - last_ns_ <= kGapNs) return;
    noticed_ = true;
    back_ns_ = now_ns;
  }

  // Whether an absence ended less than kGraceNs ago.
  bool lately(std::int64_t now_ns) const { return back_ns_ != 0 && now_ns - back_ns_ < kGraceNs; }

 private:
  std::int64_t last_ns_ = 0;  // 0: none yet
  std::int64_t back_ns_ = 0;  // likewise
  bool noticed_ = false;      // by look(), since the last step
  bool last_was_late_ = false;
};

}  // namespace auralis
