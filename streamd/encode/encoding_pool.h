// SPDX-License-Identifier: MIT
// Threads that encode, so that the thread that paces chunks never waits for an encoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace auralis {

// Runs encoding work, on a thread of its choice.
class EncodingExecutor {
 public:
  // Order in which waiting work begins: configured stations first, then the lowest chunk, which is due first,
  // since all stations share one timeline.
  struct Urgency {
    bool personal = false;
    std::int64_t chunk = 0;
  };

  virtual ~EncodingExecutor() = default;

  // Any thread. `work` must not throw; it may run before this returns, or never if the executor is destroyed
  // first.
  virtual void run(const Urgency& urgency, std::function<void()> work) = 0;
};

// Threads of lower priority than those that send.
class EncodingPool final : public EncodingExecutor {
 public:
  // `threads`: at least 1.
  explicit EncodingPool(std::size_t threads);
  // Waits for running work; drops waiting work.
  ~EncodingPool() override;
  EncodingPool(const EncodingPool&) = delete;
  EncodingPool& operator=(const EncodingPool&) = delete;

  // Takes a mutex, which is held for queue operations, never while encoding.
  void run(const Urgency& urgency, std::function<void()> work) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace auralis
