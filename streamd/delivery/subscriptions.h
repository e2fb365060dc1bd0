// SPDX-License-Identifier: MIT
// Record of which listeners hear which station, in which format, on which worker and in which phase: what has
// to be taken from the rings and encoded, and to which workers it goes when.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/thread_checker.h"
#include "streamd/delivery/delivery.h"
#include "streamd/delivery/transport.h"

namespace auralis {

// One thread, the conductor's. A function that names a connection without a listener does nothing.
class Subscriptions {
 public:
  struct Listener {
    std::size_t worker = 0;
    StationId station;
    WireFormat format = WireFormat::kJson;
    std::uint32_t phase = 0;
    bool delivered_to = false;
    std::string actor;          // names the client in the log
    std::int64_t since_ns = 0;  // when it was added
    std::int64_t lead = 0;      // chunks: it is sent a chunk that much before the others
  };

  // `moved` is called after each change of a listener's station or format.
  using Moved = std::function<void(const Listener& before, const Listener& after)>;
  explicit Subscriptions(Moved moved = [](const Listener&, const Listener&) {}) : moved_(std::move(moved)) {}

  // Adds a listener, which gets the phase that fewest have.
  void add(ConnectionId id, std::size_t worker, WireFormat format, const StationId& station,
           std::string actor = {}, std::int64_t since_ns = 0, std::int64_t lead = 0);
  void remove(ConnectionId id);
  // Counts what the listener needs from now on.
  void begin(ConnectionId id);
  void switch_station(ConnectionId id, const StationId& station);
  // Precondition: both formats have audio, or neither.
  void set_format(ConnectionId id, WireFormat format);
  // Moves all listeners of `from` to `to`: the same station under another id.
  void move(const StationId& from, const StationId& to);

  // Null if there is no such listener. Valid until it is removed.
  const Listener* find(ConnectionId id) const;
  std::size_t size() const { return listeners_.size(); }
  // Connections to the station, those included that wait for it to play.
  std::size_t connections_to(const StationId& station) const;
  // Those with audio. A client that hears the station over plain HTTP has a second connection, for messages.
  std::size_t listeners_of(const StationId& station) const;
  // Counts the listeners of the station that hear it in Opus, over WebSocket or plain HTTP.
  std::size_t opus_listeners_of(const StationId& station) const;
  // Stations with a connection.
  std::vector<StationId> stations() const;

  // The first phase from `from` on in which a listener is delivered to; kPhases if there is none.
  std::uint32_t next_busy_phase(std::uint32_t from) const;

  // Formats that the listeners of a phase are to be sent, by worker, station and lead.
  struct Need {
    std::size_t worker = 0;
    StationId station;
    FormatSet formats;
    std::int64_t lead = 0;
  };
  std::vector<Need> needs_of(std::uint32_t phase) const;

 private:
  struct Key {
    std::uint32_t phase;
    std::size_t worker;
    std::size_t index;
    std::uint64_t generation;
    std::int64_t lead;
    bool operator<(const Key& other) const;
  };
  using FormatCounts = std::array<std::size_t, kWireFormats>;
  struct StationCount {
    std::size_t all = 0;
    std::size_t opus = 0;
    std::size_t messages = 0;
  };

  void count(const Listener& listener, int change);
  template <typename Change>
  void change(Listener& listener, const Change& change);

  Moved moved_;
  std::unordered_map<ConnectionId, Listener> listeners_;
  std::map<std::pair<std::size_t, std::uint64_t>, StationCount> station_counts_;  // by index and generation
  std::array<std::size_t, kPhases> phase_counts_{};
  std::map<Key, FormatCounts> needs_;
  ThreadChecker thread_;
};

}  // namespace auralis
