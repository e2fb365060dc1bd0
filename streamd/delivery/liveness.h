// SPDX-License-Identifier: MIT
// Whether a listener still lives: when to ping it, and when to give it up. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/clock.h"

namespace auralis {

// One thread. All times are process time: no sign of life is expected while the process is stopped.
class Liveness {
 public:
  explicit Liveness(std::int64_t now_ns) : last_alive_ns_(now_ns), last_ping_ns_(now_ns) {}

  // Notes a sign of life, and the round trip if the sign answers a ping.
  void alive(std::int64_t now_ns, std::optional<std::int64_t> round_trip_ns);

  // The newest round trip; nothing before the first.
  std::optional<std::int64_t> round_trip_ns() const { return round_trip_ns_; }

  enum class Action {
    kWait,
    kPing,   // the caller pings; due again after the ping interval
    kClose,  // no sign of life for `idle_ns`
  };
  Action check(std::int64_t now_ns, std::int64_t idle_ns);

  // Short enough that a home router does not forget the connection. At most a third of `idle_ns`.
  static constexpr std::int64_t kPingIntervalNs = 15 * kNsPerSecond;

 private:
  std::int64_t last_alive_ns_;
  std::int64_t last_ping_ns_;
  std::optional<std::int64_t> round_trip_ns_;
};

}  // namespace auralis
