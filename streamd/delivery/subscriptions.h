// SPDX-License-Identifier: MIT
// Who listens to what, in which format, on which worker and in which phase: what has to be taken from the
// rings and encoded, and who is to be sent it when.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "streamd/delivery/delivery.h"
#include "streamd/delivery/transport.h"

namespace auralis {

// One thread, the conductor's.
class Subscriptions {
 public:
  struct Listener {
    std::size_t worker = 0;
    StationId station;
    WireFormat format = WireFormat::kJson;
    std::uint32_t phase = 0;
    bool delivered_to = false;
  };

  // A listener has come; it gets the phase that fewest have.
  void add(ConnectionId id, std::size_t worker, WireFormat format, const StationId& station);
  void remove(ConnectionId id);
  // From now on it is delivered to.
  void begin(ConnectionId id);
  void switch_station(ConnectionId id, const StationId& station);
  void set_format(ConnectionId id, WireFormat format);
  // The station has another place.
  void move(const StationId& from, const StationId& to);

  // Null where there is none. Valid until it is removed.
  const Listener* find(ConnectionId id) const;
  std::size_t size() const { return listeners_.size(); }
  // Those that wait for it to play, too.
  std::size_t listeners_of(const StationId& station) const;
  // Of those, the ones who hear it in Opus, over WebSocket or plain HTTP.
  std::size_t opus_listeners_of(const StationId& station) const;
  std::vector<StationId> stations() const;

  // The first phase from that one on in which somebody is delivered to; kPhases where there is none.
  std::uint32_t next_busy_phase(std::uint32_t from) const;

  // What the listeners of a phase are to be sent: by worker and station, the formats.
  struct Need {
    std::size_t worker = 0;
    StationId station;
    FormatSet formats;
  };
  std::vector<Need> needs_of(std::uint32_t phase) const;

 private:
  struct Key {
    std::uint32_t phase;
    std::size_t worker;
    std::size_t index;
    std::uint64_t generation;
    bool operator<(const Key& other) const;
  };
  using FormatCounts = std::array<std::size_t, kWireFormats>;

  void count(const Listener& listener, int change);
  template <typename Change>
  void change(Listener& listener, const Change& change);

  std::unordered_map<ConnectionId, Listener> listeners_;
  struct StationCount {
    std::size_t all = 0;
    std::size_t opus = 0;
  };
  std::map<std::pair<std::size_t, std::uint64_t>, StationCount> station_counts_;  // by place and generation
  std::array<std::size_t, kPhases> phase_counts_{};
  std::map<Key, FormatCounts> needs_;
};

}  // namespace auralis
