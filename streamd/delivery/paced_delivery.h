// SPDX-License-Identifier: MIT
// Gives each chunk to each listener at its due time, less the listener's phase: chunk k goes out over the
// length of one chunk before it is due, phase by phase, so that the load of many listeners is flat and each
// one's interval constant. Listeners with a lead are sent a later chunk at the same moment. A chunk that is
// still being encoded then, or to them is not rendered yet, follows as soon as it is ready, before any later
// chunk to the same listeners, and delays nothing else.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/base/thread_checker.h"
#include "streamd/delivery/chunk_pump.h"
#include "streamd/delivery/subscriptions.h"

namespace auralis {

// One thread, the conductor's, except construction and destruction. All references outlive it.
class PacedDelivery {
 public:
  // `send` hands a delivery to a worker.
  using Send = std::function<void(std::size_t worker, Delivery delivery)>;
  PacedDelivery(ChunkPump& pump, const Subscriptions& subscriptions, const Clock& clock, Send send);

  // Does all that is due by now. Returns when to call it next, CLOCK_MONOTONIC; call it earlier for a new
  // listener.
  std::int64_t step();

  // True if listeners are still owed a chunk of that station, which is being encoded. While they are, no
  // listener may be moved to or from the station, or change its format. A chunk that is not rendered yet is
  // no reason to wait: of those a moved listener has none twice, but may miss some.
  bool owes(const StationId& station) const;
  // Drops what is owed of that station and being encoded.
  void drop_owed(const StationId& station);
  // What is owed of `from` is of `to`: the same station under another id.
  void move(const StationId& from, const StationId& to);

  // The station's chunks from `first` on for a new listener, up to the next one that is delivered to it: of
  // the past the newest ones without a gap, and with a lead those that it would have by now. Of the latter
  // the ones that are not ready follow as soon as they are. Right after step().
  Prefill prefill(const Subscriptions::Listener& listener, std::int64_t first);

  // The first chunk that step() will deliver to that listener; nothing before the first turn.
  std::optional<std::int64_t> next_chunk(const Subscriptions::Listener& listener) const;

 private:
  static constexpr std::int64_t kIdleNs = 50'000'000;  // between looks for a timeline
  static constexpr std::int64_t kOwedNs = 2'000'000;   // between looks for a chunk that is being encoded,
  static constexpr std::int64_t kUnrenderedNs = 10'000'000;  // or not rendered yet

  // A chunk to the listeners of one phase and lead that was due before it was encoded or rendered.
  struct Owed {
    std::size_t worker = 0;
    std::uint32_t phase = 0;
    std::int64_t due_ns = 0;
    StationId station;
    std::int64_t chunk = 0;
    FormatSet formats;
    std::int64_t lead = 0;
    bool rendered = true;
  };

  std::int64_t deliver_due();
  std::int64_t next_due_ns();
  std::int64_t next_owed_ns() const;
  void forget_unrendered();
  void deliver_owed(std::optional<std::uint32_t> phase);
  std::int64_t due_ns(std::uint32_t phase, std::int64_t turn) const;
  std::int64_t next_turn(std::uint32_t phase) const;
  void deliver(std::uint32_t phase);

  ChunkPump& pump_;
  const Subscriptions& subscriptions_;
  const Clock& clock_;
  Send send_;
  std::optional<std::int64_t> turn_;  // the chunk being delivered, phase by phase
  std::uint32_t next_phase_ = 0;      // all before it had their turn
  std::deque<Owed> owed_;             // of each group of listeners, the lowest chunk first
  ThreadChecker thread_;
};

}  // namespace auralis
