// SPDX-License-Identifier: MIT
// SendQueues with listeners of two stations, on a clock that the test moves.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "streamd/delivery/send_queues.h"
#include "tests/unit/streamd/delivery/owned_listeners.h"
#include "tests/unit/streamd/support.h"

namespace auralis::test {

struct SendQueuesFixture {
  static constexpr std::int64_t kChunkNs = 100 * kNsPerMs;
  static constexpr StationId kGarden{0, 1};
  static constexpr StationId kHarbour{1, 1};

  static AudioMessagePtr audio(std::int64_t seq, bool silence = false, std::size_t bytes = 1'000) {
    return std::make_shared<AudioMessage>(
        AudioMessage{make_binary_message(std::string(bytes, 'a')), seq, kChunkNs, silence});
  }
  // A chunk in all formats.
  static StationAudio of(const StationId& station, const AudioMessagePtr& message) {
    StationAudio audio{station, {}};
    audio.formats.fill(message);
    return audio;
  }

  // By default no time counts as an absence.
  explicit SendQueuesFixture(std::int64_t max_step_ns = 3'600 * kNsPerSecond)
      : process_time(clock, max_step_ns) {}

  OwnMetrics own;
  ManualClock clock;
  RecordingTransport transport;
  std::vector<ConnectionId> stepped_down;
  ProcessTime process_time;
  OwnedListeners listeners;
  SendQueues queues{clock,
                    process_time,
                    own.metrics,
                    transport,
                    {2 * kNsPerSecond, 1'000'000},
                    60 * kNsPerSecond,
                    [this](ConnectionId id) { stepped_down.push_back(id); }};

  // Adds a listener and starts its delivery.
  void add(ConnectionId id, const StationId& station = kGarden, WireFormat format = WireFormat::kPcm,
           bool offered_opus = false) {
    listeners.add(queues, id, transport.sink(id), format, offered_opus);
    queues.begin(listeners.at(id), {station, 0, {}});
  }
  // Delivers a chunk to the listeners of the garden.
  void deliver(const AudioMessagePtr& message) { deliver(message, clock.now); }
  void deliver(const AudioMessagePtr& message, std::int64_t due_ns) {
    queues.deliver({0, due_ns, {of(kGarden, message)}});
  }
  void take_all() { listeners.take_all(queues, transport); }
  // The JSON messages that a listener was sent.
  std::vector<nlohmann::json> texts(ConnectionId id) {
    std::vector<nlohmann::json> result;
    for (const auto& message : transport.sent[id]) {
      const auto payload = payload_of(*message);
      if (payload.substr(0, 1) == "{") result.push_back(nlohmann::json::parse(payload));
    }
    return result;
  }
  double value(const std::string& name, const std::string& label = {}) const {
    return own.sample(name, label).value;
  }
  double dropped() const {
    double sum = 0;
    for (const char* const reason : {"backlog", "step_down", "disconnect", "error", "encoding", "overrun"})
      sum += value("websocket_chunks_dropped_total", reason);
    return sum;
  }
  // The identity of the books, in total and for the listeners together.
  void check_books() const {
    CHECK(value("auralis_chunks_due_total") ==
          value("websocket_chunks_sent_total") + dropped() + value("auralis_chunks_queued"));
    std::size_t queued = 0;
    for (const SendQueues::Listener* const one : queues.listeners()) queued += one->status().queued;
    CHECK(static_cast<double>(queued) == value("auralis_chunks_queued"));
  }
};

}  // namespace auralis::test
