// SPDX-License-Identifier: MIT
// Threads that encode, so that no chunk waits for an encoder where chunks are paced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace auralis {

// Runs encoding work somewhere.
class EncodingExecutor {
 public:
  // Order in which waiting work begins: configured stations first, then by chunk number, which is by due
  // time, since all stations share one timeline.
  struct Urgency {
    bool personal = false;
    std::int64_t chunk = 0;
  };

  virtual ~EncodingExecutor() = default;

  // Any thread. `work` must not throw; it may run before this returns, or never if the executor ends first.
  virtual void run(const Urgency& urgency, std::function<void()> work) = 0;
};

// Threads of a lower priority than those that send.
class EncodingPool final : public EncodingExecutor {
 public:
  // `threads`: at least 1.
  explicit EncodingPool(std::size_t threads);
  // Waits for the work that runs; drops the work that waits.
  ~EncodingPool() override;
  EncodingPool(const EncodingPool&) = delete;
  EncodingPool& operator=(const EncodingPool&) = delete;

  // One mutex, held for a queue operation, never while encoding.
  void run(const Urgency& urgency, std::function<void()> work) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace auralis
