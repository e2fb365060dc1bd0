// SPDX-License-Identifier: MIT
#include "streamd/encode/encoding_pool.h"

#include <unistd.h>

#include <cassert>
#include <condition_variable>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/mutex.h"

namespace auralis {
namespace {

// Encoding is hundreds of milliseconds ahead of time; sending is not. Relative to the process, so that with
// the nice value of -10 that its unit sets encoding is still above other processes: a busy machine must not
// cost the listeners of Opus their music.
constexpr int kNiceIncrement = 5;

// Linux has a nice value for each thread. A failure costs only the preference.
void lower_priority() { (void)nice(kNiceIncrement); }

}  // namespace

struct EncodingPool::State {
  Mutex mutex;
  std::condition_variable changed;
  std::multimap<std::pair<bool, std::int64_t>, std::function<void()>> waiting AURALIS_GUARDED_BY(mutex);
  bool stopping AURALIS_GUARDED_BY(mutex) = false;

  std::vector<std::thread> threads;

  void serve() {
    lower_priority();
    MutexLock lock(mutex);
    for (;;) {
      while (!stopping && waiting.empty()) lock.wait(changed);
      if (stopping) return;
      const auto first = waiting.begin();
      auto work = std::move(first->second);
      waiting.erase(first);
      lock.unlock();
      work();
      work = nullptr;  // its captures are destroyed outside the lock, too
      lock.lock();
    }
  }
};

EncodingPool::EncodingPool(std::size_t threads) : state_(std::make_unique<State>()) {
  assert(threads >= 1);
  for (std::size_t i = 0; i < threads; ++i)
    state_->threads.emplace_back([state = state_.get()] { state->serve(); });
}

EncodingPool::~EncodingPool() {
  {
    const MutexLock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

void EncodingPool::run(const Urgency& urgency, std::function<void()> work) {
  {
    const MutexLock lock(state_->mutex);
    state_->waiting.emplace(std::pair(urgency.personal, urgency.chunk), std::move(work));
  }
  state_->changed.notify_one();
}

}  // namespace auralis
