// SPDX-License-Identifier: MIT
// Behaviour of the wrapper; scripts/lint shows what Clang's analysis refuses.
#include "common/base/mutex.h"

#include <doctest/doctest.h>
#include <chrono>
#include <thread>

namespace auralis::mutex_test {
namespace {

struct Guarded {
  Mutex mutex;
  std::condition_variable changed;
  bool asked AURALIS_GUARDED_BY(mutex) = false;
  bool answered AURALIS_GUARDED_BY(mutex) = false;

  void answer() {
    MutexLock lock(mutex);
    while (!asked) lock.wait(changed);
    answered = true;
    changed.notify_all();
  }
};

}  // namespace

TEST_CASE("wait() releases the mutex while waiting, and holds it again on return") {
  Guarded guarded;
  std::thread other([&] { guarded.answer(); });
  {
    MutexLock lock(guarded.mutex);
    guarded.asked = true;
    guarded.changed.notify_all();
    while (!guarded.answered) lock.wait(guarded.changed);
  }
  other.join();
}

TEST_CASE("a lock can release its mutex and acquire it again") {
  Guarded guarded;
  MutexLock lock(guarded.mutex);
  lock.unlock();
  { const MutexLock inner(guarded.mutex); }
  lock.lock();
  guarded.asked = true;
}

TEST_CASE("a wait returns false once its deadline has passed") {
  Guarded guarded;
  MutexLock lock(guarded.mutex);
  while (lock.wait_until(guarded.changed, std::chrono::steady_clock::now())) continue;
  CHECK_FALSE(guarded.asked);
}

}  // namespace auralis::mutex_test
