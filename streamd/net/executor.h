// SPDX-License-Identifier: MIT
// A queue of work for one thread.
#pragma once

#include <functional>

namespace auralis {

class Executor {
 public:
  virtual ~Executor() = default;

  // Any thread. Runs `work` on the executor's thread: after the work that was posted before it, and never
  // within this call. Work that is still queued when the executor is destroyed is destroyed without running.
  virtual void post(std::function<void()> work) = 0;
};

}  // namespace auralis
