// SPDX-License-Identifier: MIT
// Limits concurrent listeners or connections, in total and per client address (IPv6: per /64). Check-and-take
// is atomic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <variant>

#include "common/access/ip_address.h"

namespace auralis {

// Any thread. One mutex, held for a few lookups; not on the audio path.
class ConnectionLimiter {
  struct State;

 public:
  struct Limits {
    std::int64_t total = 0;
    std::int64_t per_address = 0;
  };

  // The right to be connected, held until this is destroyed. May outlive the ConnectionLimiter. Any thread
  // may destroy it.
  class Permit {
   public:
    Permit(Permit&& other) noexcept = default;
    Permit& operator=(Permit&& other) noexcept;
    Permit(const Permit&) = delete;
    Permit& operator=(const Permit&) = delete;
    ~Permit() { release(); }

   private:
    friend class ConnectionLimiter;
    Permit(std::shared_ptr<State> state, const IpAddress& network)
        : state_(std::move(state)), network_(network) {}
    void release() noexcept;

    std::shared_ptr<State> state_;  // null: moved from
    IpAddress network_;             // of the client: client_network()
  };

  enum class Refusal {
    kFull,     // the total limit is reached
    kAddress,  // the limit per address is reached
  };

  // Addresses for which `exempt` is true count towards the total, but have no limit per address. Any thread
  // may call `exempt`.
  ConnectionLimiter(const Limits& limits, std::function<bool(const IpAddress&)> exempt);

  std::variant<Permit, Refusal> acquire(const IpAddress& client);
  // A permit with several owners; null if refused.
  std::shared_ptr<const Permit> acquire_shared(const IpAddress& client);

  // Permits: in total, not taken, taken.
  std::size_t total() const;
  std::size_t free() const { return total() - taken(); }
  std::size_t taken() const;
  // Permits taken by the address; an IPv6 /64 counts as one address, since a household has that.
  std::size_t taken_at(const IpAddress& client) const;

 private:
  std::function<bool(const IpAddress&)> exempt_;
  std::shared_ptr<State> state_;
};
using SharedPermit = std::shared_ptr<const ConnectionLimiter::Permit>;

}  // namespace auralis
