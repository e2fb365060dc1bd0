// SPDX-License-Identifier: MIT
// The pump and the pacing together, on a ring in a real segment and a clock that the test moves.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "streamd/delivery/chunk_pump.h"
#include "streamd/delivery/paced_delivery.h"
#include "streamd/delivery/send_queues.h"
#include "tests/unit/streamd/delivery/owned_listeners.h"
#include "tests/unit/streamd/support.h"

namespace auralis::test {

inline constexpr std::int64_t kChunkNs = 100 * kNsPerMs;
inline constexpr std::int64_t kPrefill = 2;

struct DeliveryFixture {
  TempDir folder;
  ManualClock clock;
  OwnMetrics own;
  RecordingTransport transport;
  ProcessTime process_time{clock, kNsPerSecond};
  OwnedListeners listeners;
  SendQueues queues{clock, process_time, own.metrics, transport, {}, 60 * kNsPerSecond, nullptr};
  HeldExecutor encoding;
  SentMeter meter{folder.path()};
  ChunkPump pump{folder.path(), clock, own.metrics, encoding, meter, kPrefill, 96'000};
  Subscriptions subscriptions;
  PacedDelivery delivery{pump, subscriptions, clock,
                         [this](std::size_t, const Delivery& one) { queues.deliver(one); }};
  std::int64_t epoch_ns = clock.now;
  StationId station;

  // Looks for synthd and its station, as the server does.
  void refresh() {
    pump.refresh();
    const std::uint64_t generation = pump.reader().generation(0);
    if (generation == station.generation || generation % 2 == 0) return;
    subscriptions.move(station, {0, generation});
    queues.move(station, {0, generation});
    station.generation = generation;
    pump.add(station, "default", true, own.metrics.configured[0]);
    pump.refresh();
  }

  void add(ConnectionId id, const StationId& to, std::int64_t prefill = 0,
           WireFormat format = WireFormat::kPcm, std::int64_t lead = 0) {
    subscriptions.add(id, 0, format, to, {}, 0, lead);
    delivery.step();
    const Subscriptions::Listener& listener = *subscriptions.find(id);
    const std::int64_t next = delivery.next_chunk(listener).value_or(0);
    const std::int64_t first = next - lead - prefill;
    pump.prepare(to, format, first, next);
    listeners.add(queues, id, transport.sink(id), format, false);
    queues.begin(listeners.at(id), {to, listener.phase, {}, delivery.prefill(listener, first), lead});
    subscriptions.begin(id);
  }
  void add(ConnectionId id) { add(id, station); }

  double underruns() const { return own.sample("ring_buffer_underruns_total", "default").value; }

  // Moves the clock from wake to wake, as the event loop does.
  void run_until(std::int64_t end_ns) {
    while (clock.now < end_ns) {
      refresh();
      const std::int64_t wake_ns = delivery.step();
      listeners.take_all(queues, transport);
      REQUIRE(wake_ns > clock.now_ns());
      clock.now = std::min(wake_ns, end_ns);
    }
  }

  std::vector<std::int64_t> seqs(ConnectionId id) {
    std::vector<std::int64_t> result;
    for (const auto& message : transport.sent[id]) {
      const std::string_view bytes = payload_of(*message);
      if (bytes.substr(0, 4) == "AUR1") result.push_back(static_cast<unsigned char>(bytes[8]));
    }
    return result;
  }
};

}  // namespace auralis::test
