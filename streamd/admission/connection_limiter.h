// SPDX-License-Identifier: MIT
// Places, of listeners or of connections: so many in all, so many at an address. The counts are exact however
// many threads ask: a place is taken in the same moment in which it is found free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <variant>

#include "common/access/ip_address.h"

namespace auralis {

// Any thread. One mutex, held for some lookups: nothing that audio passes through.
class ConnectionLimiter {
  struct State;

 public:
  struct Limits {
    std::int64_t places = 0;
    std::int64_t places_per_address = 0;
  };

  // A place, kept for as long as this lives, which may be longer than the ConnectionLimiter does. Any thread
  // may destroy it.
  class Permit {
   public:
    Permit(Permit&& other) noexcept = default;
    Permit& operator=(Permit&& other) noexcept;
    Permit(const Permit&) = delete;
    Permit& operator=(const Permit&) = delete;
    ~Permit() { free(); }

   private:
    friend class ConnectionLimiter;
    Permit(std::shared_ptr<State> state, const IpAddress& place) : state_(std::move(state)), place_(place) {}
    void free() noexcept;

    std::shared_ptr<State> state_;  // null: moved from
    IpAddress place_;
  };

  enum class Refusal {
    kFull,     // all places are taken
    kAddress,  // all that the address may have
  };

  // Addresses that `exempt` names count among all, but have no limit of their own. Any thread calls it.
  ConnectionLimiter(const Limits& limits, std::function<bool(const IpAddress&)> exempt);

  std::variant<Permit, Refusal> acquire(const IpAddress& client);
  // The same, to be shared; null if it is refused.
  std::shared_ptr<const Permit> acquire_shared(const IpAddress& client);

  std::size_t places() const;
  std::size_t free() const { return places() - taken(); }
  // Places that are taken.
  std::size_t taken() const;
  // At the address, or in the network that counts as one: a /64 of IPv6 is what a household has.
  std::size_t taken_at(const IpAddress& client) const;

 private:
  std::function<bool(const IpAddress&)> exempt_;
  std::shared_ptr<State> state_;
};
using SharedPermit = std::shared_ptr<const ConnectionLimiter::Permit>;

}  // namespace auralis
