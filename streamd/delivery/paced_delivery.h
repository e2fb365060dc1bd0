// SPDX-License-Identifier: MIT
// Gives each chunk to the listeners at its due moment, less each listener's phase: chunk k goes out over the
// chunk's length before it is due, phase by phase, so that the load of many is flat and nobody's interval
// changes. Where a chunk is still being encoded at that moment, it follows as soon as it is ready, before any
// later chunk to the same listeners, and holds up nothing else.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "streamd/delivery/chunk_pump.h"
#include "streamd/delivery/subscriptions.h"

namespace auralis {

// One thread, the conductor's. All references outlive it.
class PacedDelivery {
 public:
  // `send` hands a delivery to a worker.
  using Send = std::function<void(std::size_t worker, Delivery delivery)>;
  PacedDelivery(ChunkPump& pump, const Subscriptions& subscriptions, const Clock& clock, Send send);

  // Does all that is due by now. Returns the moment (CLOCK_MONOTONIC) of the next thing to do; sooner where a
  // listener comes.
  std::int64_t step();

  // Whether a chunk of that station is owed to listeners, since it is still being encoded. While there is
  // one, no listener may be moved to or away from the station, or change its format.
  bool owes(const StationId& station) const;
  // Gives up what is owed of that station: it is dropped.
  void drop_owed(const StationId& station);

  // The station's newest past chunks, `count` at most, oldest first, for a listener of that phase who has
  // just come, right after step(): the next one that is delivered to the phase follows them without a gap.
  std::vector<AudioMessagePtr> prefill(const StationId& station, std::uint32_t phase, WireFormat format,
                                       std::int64_t count) const;

  // The first chunk that step() will deliver to that phase; nothing while there is none.
  std::optional<std::int64_t> next_chunk(std::uint32_t phase) const;

 private:
  static constexpr std::int64_t kIdleNs = 50'000'000;  // how often to look for a timeline while there is none

  static constexpr std::int64_t kOwedNs = 2'000'000;  // how often to look for a chunk that is being encoded

  // A chunk to listeners of one phase, whose moment came before it was encoded.
  struct Owed {
    std::size_t worker = 0;
    std::uint32_t phase = 0;
    std::int64_t due_ns = 0;
    StationId station;
    std::int64_t chunk = 0;
    FormatSet formats;
  };

  std::int64_t deliver_due();
  void deliver_owed();
  std::int64_t due_ns(std::uint32_t phase) const;
  void deliver(std::uint32_t phase);

  ChunkPump& pump_;
  const Subscriptions& subscriptions_;
  const Clock& clock_;
  Send send_;
  std::optional<std::int64_t> turn_;  // the chunk being delivered, phase by phase
  std::uint32_t next_phase_ = 0;      // all before it had their turn
  std::deque<Owed> owed_;             // of one station: lowest chunk first
};

}  // namespace auralis
