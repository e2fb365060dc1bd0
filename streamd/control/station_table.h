// SPDX-License-Identifier: MIT
// The stations as synthd's table shows them, and what listeners ask of them: changes, and stations of their
// own. Requests go through the control segment; what becomes of them is seen in the table. A personal
// station keeps the place that its listener took at the limiter until it is gone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/music/permalink.h"
#include "common/segments/control_segment.h"
#include "streamd/admission/connection_limiter.h"
#include "streamd/api/messages.h"
#include "streamd/control/accepted_changes.h"

namespace auralis {

// One thread, streamd's network thread. `reader` and both clocks outlive it.
class StationTable {
 public:
  // Listeners and synthd have the times below by `process_time`, in which this process ran. Throws
  // SegmentError.
  StationTable(const std::filesystem::path& streamd_directory, const AudioReader& reader, const Clock& clock,
               const Clock& process_time);
  // By the clock itself.
  StationTable(const std::filesystem::path& streamd_directory, const AudioReader& reader, const Clock& clock)
      : StationTable(streamd_directory, reader, clock, clock) {}

  struct Gone {
    StationId place;
    std::string name;               // empty where it never came
    std::optional<Permalink> link;  // what was asked for, where another station took its place
    SharedPermit permit;            // of its listener's address
  };
  // A change that was accepted and will not come into force.
  struct TakenBack {
    StationId place;            // that the station has now
    std::uint64_t request = 0;  // its number; none up to it is still to come into force
    MusicParameters target;     // what the station goes on to
  };
  // Looks at the table (`other_table`: it is another one); cheap where nothing has changed. Returns the
  // stations that have come, and those that are gone, or were asked for and did not come within
  // kOpenTimeoutNs.
  struct Changes {
    std::vector<StationId> came;
    std::vector<Gone> gone;
    std::vector<TakenBack> taken_back;
  };
  Changes refresh(bool other_table);

  // The station there; null where there is none (yet). Valid until the next refresh().
  const StationState* find(const StationId& place) const;

  // By its name, personal ones too.
  std::optional<StationId> find(std::string_view name) const;
  // What a listener hears who names none: the station `default`, else the first.
  std::optional<StationId> usual() const;

  // In the order of the table. Valid until the next refresh().
  std::vector<std::pair<StationId, const StationState*>> all() const;
  std::vector<StationId> configured() const;

  std::size_t places() const { return reader_.capacity(); }
  std::size_t personal() const;
  // For personal stations, none of which has been asked for; 0 where synthd is not there.
  std::size_t free_places() const;

  // Asks for a personal station, which comes within a second, and ends some seconds after its last listener
  // (see close_idle). Nothing where there is no place, or no synthd. `permit` is freed once the station is
  // gone, or did not come.
  std::optional<StationId> open(const Permalink& link, SharedPermit permit);
  // The station at `place`, which has moved, has that permit.
  void keep(const StationId& place, SharedPermit permit);
  // Asks for the end of a personal station that its last listener has left for another one of its own.
  void end(const StationId& place);

  // Whether it is a personal station that plays, or is to come.
  bool is_personal(const StationId& place) const;

  // Asks for the end of personal stations that have had no listener for kIdleNs. About once a second.
  template <typename HasListeners>
  void close_idle(const HasListeners& has_listeners) {
    for (auto& [index, station] : stations_) {
      const StationId place{index, station.generation};
      const bool idle = station.state.personal != 0 && !has_listeners(place);
      if (!idle) station.idle_since_ns = process_time_.now_ns();
      if (process_time_.now_ns() - station.idle_since_ns >= kIdleNs) close(place);
    }
  }

  // Asks for a change on top of what was last asked for. Nothing where synthd is not there to obey.
  std::optional<Accepted> change(const StationId& place, const ParameterPatch& patch);
  std::optional<Accepted> choose(const StationId& place, const Preset& preset);

  // Nothing where there is none, or it has not sounded yet.
  std::optional<StationStatus> status(const StationId& place) const;

  // The query that plays the station from here on, or any moment before.
  std::string permalink(const StationId& place) const;

  void beat() { writer_.beat(clock_.now_ns()); }

  static constexpr std::int64_t kIdleNs = 10 * kNsPerSecond;
  static constexpr std::int64_t kOpenTimeoutNs = 3 * kNsPerSecond;

 private:
  struct TableEntry {
    std::uint64_t generation = 0;
    StationState state;
    std::int64_t idle_since_ns = 0;
    std::uint64_t request_in_force = 0;  // the last request whose change has been rendered
    SharedPermit permit;
  };
  struct PendingStation {
    std::uint64_t generation = 0;
    std::int64_t asked_ns = 0;
    std::string name;
    Permalink link;
    SharedPermit permit;
  };

  bool trampled() const;
  void read_table(Changes& changes);
  void take_back(Changes& changes);
  void note_requests();
  bool in_force(const StationState& state, std::int64_t newest) const;
  std::optional<MusicParameters> target(const StationId& place) const;
  std::optional<Accepted> request(const StationId& place, const MusicParameters& parameters);
  void request_parameters(const StationId& place, const MusicParameters& parameters);
  void store(const StationId& place, ControlRequest request);
  void close(const StationId& place);
  // The chunk of the station that listeners hear now.
  std::int64_t live_chunk(const StationState& state) const;

  ControlWriter writer_;
  const AudioReader& reader_;
  const Clock& clock_;
  const Clock& process_time_;
  std::uint64_t table_version_ = 0;
  std::map<std::size_t, TableEntry> stations_;     // by place
  std::map<std::size_t, PendingStation> pending_;  // by place
  AcceptedChanges accepted_;
};

}  // namespace auralis
