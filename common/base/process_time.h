// SPDX-License-Identifier: MIT
// Time in which this process ran. Deadlines and rates that are imposed on others are measured on it: while
// the process is stopped (SIGSTOP, a frozen container, a suspended machine) nobody can be seen to meet one.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/base/clock.h"

namespace auralis {

// One thread. now_ns() goes with the clock as long as step() is called often; what the time between two steps
// is longer than `max_step_ns` is left out. It begins with the clock's own time, and never goes back.
class ProcessTime final : public Clock {
 public:
  // `clock` outlives it. `max_step_ns`: several times what lies between two steps as a rule, so that the
  // delays of a busy machine count.
  ProcessTime(const Clock& clock, std::int64_t max_step_ns)
      : clock_(clock), max_step_ns_(max_step_ns), last_ns_(clock.now_ns()) {}

  // The process runs. False after an absence: what others did meanwhile may not have been seen yet, so they
  // are better judged at the next step.
  bool step() {
    const std::int64_t clock_ns = clock_.now_ns();
    const std::int64_t excess_ns = std::max<std::int64_t>(0, clock_ns - last_ns_ - max_step_ns_);
    absent_ns_ += excess_ns;
    last_ns_ = clock_ns;
    return excess_ns == 0;
  }

  std::int64_t now_ns() const override {
    return std::min(clock_.now_ns(), last_ns_ + max_step_ns_) - absent_ns_;
  }
  // How long it was absent, in all: what the clock is ahead of this.
  std::int64_t absent_ns() const { return clock_.now_ns() - now_ns(); }
  // Wall time, of which nothing is left out.
  std::int64_t unix_ns() const override { return clock_.unix_ns(); }

 private:
  const Clock& clock_;
  std::int64_t max_step_ns_;
  std::int64_t last_ns_;
  std::int64_t absent_ns_ = 0;
};

}  // namespace auralis
