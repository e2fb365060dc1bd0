// SPDX-License-Identifier: MIT
// Checks, in builds with asserts (debug, asan, tsan), that a class is used by one thread only. Empty if
// NDEBUG is defined.
#pragma once

#ifndef NDEBUG
#include <atomic>
#include <thread>
#endif

namespace auralis {

// A member of a single-threaded class, whose functions begin with assert(checker_.is_current()), or call one
// of its functions that does.
class ThreadChecker {
 public:
  ThreadChecker() = default;
  ThreadChecker(const ThreadChecker&) = delete;
  ThreadChecker& operator=(const ThreadChecker&) = delete;
  // A moved object has no thread yet.
  ThreadChecker(ThreadChecker&& /*from*/) noexcept {}
  ThreadChecker& operator=(ThreadChecker&& /*from*/) noexcept {
    detach();
    return *this;
  }

#ifndef NDEBUG
  // Whether the calling thread is the first one that called this, since construction or detach(). Any thread.
  bool is_current() const noexcept {
    std::thread::id first;
    const auto self = std::this_thread::get_id();
    return first_.compare_exchange_strong(first, self, std::memory_order_relaxed) || first == self;
  }

  // Hands the object over: the next thread that calls is_current() is its thread. The caller ensures that no
  // other thread uses the object meanwhile.
  void detach() noexcept { first_.store({}, std::memory_order_relaxed); }

 private:
  mutable std::atomic<std::thread::id> first_{};
#else
  bool is_current() const noexcept { return true; }
  void detach() noexcept {}
#endif
};

}  // namespace auralis
