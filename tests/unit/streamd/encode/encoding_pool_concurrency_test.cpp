// SPDX-License-Identifier: MIT
#include "streamd/encode/encoding_pool.h"

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace auralis::encoding_pool_concurrency_test {
namespace {

// Blocks a thread of a pool until released.
class Hang {
 public:
  std::function<void()> work() {
    return [this] {
      std::unique_lock lock(mutex_);
      hangs_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return release_; });
    };
  }
  void wait_until_it_hangs() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return hangs_; });
  }
  void release() {
    const std::lock_guard lock(mutex_);
    release_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hangs_ = false;
  bool release_ = false;
};

TEST_CASE("work that hangs on one thread of a pool does not delay the others") {
  Hang hang;
  EncodingPool pool(2);
  pool.run({true, 0}, hang.work());
  hang.wait_until_it_hangs();
  std::atomic<bool> done{false};
  pool.run({true, 1}, [&] { done = true; });
  while (!done) std::this_thread::yield();
  hang.release();
}

TEST_CASE("of waiting work, configured stations go first, and then the lowest chunk") {
  Hang hang;
  std::vector<int> order;  // written by the one thread, read once it has ended
  std::atomic<bool> done{false};
  {
    EncodingPool pool(1);
    pool.run({false, 0}, hang.work());
    hang.wait_until_it_hangs();
    const auto note = [&](int number) { return [&order, number] { order.push_back(number); }; };
    pool.run({true, 9}, note(4));
    pool.run({true, 8}, note(3));
    pool.run({false, 9}, note(2));
    pool.run({false, 7}, note(1));
    pool.run({true, 10}, [&] { done = true; });
    hang.release();
    while (!done) std::this_thread::yield();
  }
  CHECK(order == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("the nice value of encoding is relative to that of the thread that made the pool") {
  constexpr int kProcess = 3;
  constexpr int kHighest = 19;
  int maker_nice = 0;
  int encoding_nice = 0;
  // On a thread of its own, which cannot take its priority back.
  std::thread maker([&] {
    const auto own = [] { return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); };
    if (own() < kProcess) (void)nice(kProcess - own());
    maker_nice = own();
    std::promise<int> seen;
    EncodingPool pool(1);
    pool.run({}, [&] { seen.set_value(own()); });
    encoding_nice = seen.get_future().get();
  });
  maker.join();
  CHECK(encoding_nice == std::min(maker_nice + 5, kHighest));
}

}  // namespace
}  // namespace auralis::encoding_pool_concurrency_test
