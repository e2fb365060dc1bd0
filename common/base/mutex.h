// SPDX-License-Identifier: MIT
// std::mutex and std::unique_lock with thread annotations, which the standard library's own lack: Clang
// checks that members marked AURALIS_GUARDED_BY are accessed only under their mutex. No run-time cost.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "common/base/thread_annotations.h"

namespace auralis {

// Locked by a MutexLock. Any thread.
class AURALIS_CAPABILITY("mutex") Mutex {
 private:
  friend class MutexLock;
  std::mutex mutex_;
};

// Holds a mutex for its lifetime, except between unlock() and lock(). One thread. To wait for a condition,
// write a loop: Clang would check a predicate in a closure as if the mutex were not held.
//   MutexLock lock(mutex_);
//   while (!ready_) lock.wait(changed_);
class AURALIS_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) AURALIS_ACQUIRE(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() AURALIS_RELEASE() {}
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void lock() AURALIS_ACQUIRE() { lock_.lock(); }
  void unlock() AURALIS_RELEASE() { lock_.unlock(); }

  // Releases the mutex while waiting. May wake up spuriously.
  void wait(std::condition_variable& condition) { condition.wait(lock_); }

  // As wait(), until `deadline` at most; false if it has passed.
  template <typename Clock, typename Duration>
  bool wait_until(std::condition_variable& condition,
                  const std::chrono::time_point<Clock, Duration>& deadline) {
    return condition.wait_until(lock_, deadline) == std::cv_status::no_timeout;
  }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace auralis
