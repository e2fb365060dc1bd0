// SPDX-License-Identifier: MIT
// The books of listeners: the only writer of the metrics of listeners connected and disconnected, of how
// long, and of which station they hear in which format. At every moment the listeners accepted are those
// connected and those disconnected, and those connected are the sum over stations, formats and transports.
// Each function keeps it so, in one atomic update of the metrics. A connection for messages alone is no
// listener: its client is counted where it takes the audio from, and the connection in a gauge of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "common/base/clock.h"
#include "common/base/thread_checker.h"
#include "common/segments/audio_segment.h"
#include "streamd/stream_metrics.h"

namespace auralis {

// One thread, the conductor's, except construction and destruction.
class ListenerLedger {
 public:
  // `clock` and `metrics` outlive it. Settles the books of a former streamd that was killed: its listeners
  // are gone.
  ListenerLedger(const Clock& clock, StreamMetrics& metrics);

  // Counts the station's listeners in that group, as of StreamMetrics::listeners: those it has, and later
  // ones.
  void set_group(const StationId& station, std::size_t group);
  // The station has ended: the listeners that it still has count in kNoGroup.
  void remove_station(const StationId& station);
  // The group is about to get another name: what it counts goes to kNoGroup.
  void release_group(std::size_t group);

  // The station and format that a listener hears, or waits for.
  struct Place {
    StationId station;
    WireFormat format = WireFormat::kJson;
  };
  void add(const Place& place);
  void move(const Place& from, const Place& to);
  // `since_ns`: when the listener was added.
  void remove(const Place& place, DisconnectReason reason, std::int64_t since_ns);

  // Adds the time since the last call. About once a second.
  void count_seconds();

 private:
  using FormatCounts = std::array<std::size_t, kWireFormats>;
  using StationKey = std::pair<std::size_t, std::uint64_t>;  // index and generation
  struct Station {
    std::size_t group = kNoGroup;
    FormatCounts listeners{};
  };

  void settle_former_listeners();
  void count_messages(int change);
  void count_time();
  void count(const Place& place, int change);
  void regroup(Station& station, std::size_t group);
  void show(std::size_t group, std::size_t format);

  const Clock& clock_;
  StreamMetrics& metrics_;
  std::map<StationKey, Station> stations_;  // that have a group or listeners
  std::array<FormatCounts, kListenerGroups> groups_{};
  std::size_t connected_ = 0;
  std::size_t peak_ = 0;
  std::size_t message_connections_ = 0;
  std::int64_t counted_ns_;  // until when the time was counted
  ThreadChecker thread_;
};

}  // namespace auralis
