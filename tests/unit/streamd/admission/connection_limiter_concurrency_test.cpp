// SPDX-License-Identifier: MIT
#include "streamd/admission/connection_limiter.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace auralis::connection_limiter_concurrency_test {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 20'000;
constexpr std::int64_t kCapacity = 6;
constexpr std::int64_t kCapacityPerAddress = 2;
constexpr std::size_t kAddresses = 4;

IpAddress client(std::size_t number) { return parse_ip_address("192.0.2." + std::to_string(number)).value(); }

bool no_proxy(const IpAddress&) { return false; }

template <typename Work>
void in_threads(const Work& work) {
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

// Permits that one thread holds, and counts of them that are never above what the limiter gave: raised once a
// permit is held, lowered before it is given back.
class Holder {
 public:
  struct Counts {
    std::atomic<int> all{0};
    std::array<std::atomic<int>, kAddresses> at{};
    std::atomic<int> refused{0};
    std::atomic<bool> too_many{false};
  };

  Holder(ConnectionLimiter& limiter, Counts& counts) : limiter_(limiter), counts_(counts) {}

  bool holds() const { return !held_.empty(); }
  std::size_t count() const { return held_.size(); }

  void acquire(std::size_t number) {
    auto outcome = limiter_.acquire(client(number));
    auto* permit = std::get_if<ConnectionLimiter::Permit>(&outcome);
    if (permit == nullptr) {
      ++counts_.refused;
      return;
    }
    const bool above_all = ++counts_.all > kCapacity;
    const bool above_at = ++counts_.at.at(number) > kCapacityPerAddress;
    if (above_all || above_at) counts_.too_many = true;
    held_.emplace_back(number, std::move(*permit));
  }

  void leave() {
    --counts_.all;
    --counts_.at.at(held_.back().first);
    held_.pop_back();
  }

 private:
  ConnectionLimiter& limiter_;
  Counts& counts_;
  std::vector<std::pair<std::size_t, ConnectionLimiter::Permit>> held_;
};

TEST_CASE("threads that come and go at once never hold more permits than there are, and all come back") {
  ConnectionLimiter limiter({kCapacity, kCapacityPerAddress}, no_proxy);
  Holder::Counts counts;
  in_threads([&](int thread) {
    std::minstd_rand random(static_cast<unsigned>(thread) + 1);
    Holder holder(limiter, counts);
    for (int round = 0; round < kRounds; ++round) {
      holder.acquire(random() % kAddresses);
      // A thread that happens to run alone is refused at times, too.
      if (holder.count() > 4 || (holder.holds() && random() % 2 == 0)) holder.leave();
    }
    while (holder.holds()) holder.leave();
  });
  CHECK_FALSE(counts.too_many);
  CHECK(counts.refused > 0);
  CHECK(limiter.taken() == 0);
  for (std::size_t number = 0; number < kAddresses; ++number) CHECK(limiter.taken_at(client(number)) == 0);
}

TEST_CASE("threads that rush in at once get exactly the permits that there are") {
  for (int round = 0; round < 200; ++round) {
    ConnectionLimiter limiter({kCapacity, 1'000}, no_proxy);
    std::vector<std::vector<ConnectionLimiter::Permit>> held(kThreads);
    std::atomic<int> refused{0};
    in_threads([&](int thread) {
      for (int i = 0; i < 10; ++i) {
        auto outcome = limiter.acquire(client(0));
        if (auto* permit = std::get_if<ConnectionLimiter::Permit>(&outcome)) {
          held[static_cast<std::size_t>(thread)].push_back(std::move(*permit));
        } else {
          ++refused;
        }
      }
    });
    std::size_t entered = 0;
    for (const auto& permits : held) entered += permits.size();
    CHECK(entered == kCapacity);
    CHECK(refused == kThreads * 10 - static_cast<int>(kCapacity));
    CHECK(limiter.taken() == kCapacity);
  }
}

TEST_CASE("permits are freed safely while the limiter goes") {
  for (int round = 0; round < 200; ++round) {
    auto limiter =
        std::make_unique<ConnectionLimiter>(ConnectionLimiter::Limits{kThreads, kThreads}, no_proxy);
    std::vector<std::optional<ConnectionLimiter::Permit>> permits;
    permits.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i)
      permits.emplace_back(std::get<ConnectionLimiter::Permit>(limiter->acquire(client(0))));
    in_threads([&](int thread) {
      if (thread == 0) limiter.reset();
      permits[static_cast<std::size_t>(thread)].reset();
    });
    CHECK_FALSE(limiter);
  }
}

}  // namespace
}  // namespace auralis::connection_limiter_concurrency_test
