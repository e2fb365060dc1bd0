// SPDX-License-Identifier: MIT
// Time during which this process ran. Clients' deadlines and rate limits are measured on it: while the
// process is stopped (SIGSTOP, a frozen container, a suspended machine), it cannot see a client meet its
// deadline.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>

#include "common/base/clock.h"
#include "common/base/thread_checker.h"

namespace auralis {

// One thread. now_ns() follows the clock while step() is called often; the part of the time between two steps
// that exceeds `max_step_ns` is left out. It starts at the clock's time and never goes back.
class ProcessTime final : public Clock {
 public:
  // `clock` outlives it. `max_step_ns`: several times the usual gap between two steps, so that the delays of
  // a busy machine count.
  ProcessTime(const Clock& clock, std::int64_t max_step_ns)
      : clock_(clock), max_step_ns_(max_step_ns), last_ns_(clock.now_ns()) {
    assert(max_step_ns > 0);
  }

  // Notes that the process runs. False after an absence: input that clients sent meanwhile may not have been
  // read yet, so check their deadlines at the next step.
  bool step() {
    assert(checker_.is_current());
    const std::int64_t clock_ns = clock_.now_ns();
    const std::int64_t excess_ns = std::max<std::int64_t>(0, clock_ns - last_ns_ - max_step_ns_);
    absent_ns_ += excess_ns;
    last_ns_ = clock_ns;
    return excess_ns == 0;
  }

  std::int64_t now_ns() const override {
    assert(checker_.is_current());
    return std::min(clock_.now_ns(), last_ns_ + max_step_ns_) - absent_ns_;
  }
  // Total absence: how far the clock is ahead of now_ns().
  std::int64_t absent_ns() const { return clock_.now_ns() - now_ns(); }
  // Wall time, absences included.
  std::int64_t unix_ns() const override { return clock_.unix_ns(); }

 private:
  ThreadChecker checker_;
  const Clock& clock_;
  std::int64_t max_step_ns_;
  std::int64_t last_ns_;
  std::int64_t absent_ns_ = 0;
};

}  // namespace auralis
