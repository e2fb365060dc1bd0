// SPDX-License-Identifier: MIT
// The stations as synthd's table shows them, and the requests of listeners: changes, and personal stations.
// Requests go through the control segment; their outcome is read from the table. A personal station keeps the
// permit of its listener until it is gone.
#pragma once

#include <cassert>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/thread_checker.h"
#include "common/music/permalink.h"
#include "common/segments/control_segment.h"
#include "streamd/admission/connection_limiter.h"
#include "streamd/api/messages.h"
#include "streamd/control/accepted_changes.h"

namespace auralis {

// One thread, the conductor's. `reader` and both clocks outlive it.
class StationTable {
 public:
  // `process_time` is the time in which this process ran: the timeouts below are measured in it. Throws
  // SegmentError.
  StationTable(const std::filesystem::path& streamd_directory, const AudioReader& reader, const Clock& clock,
               const Clock& process_time);
  // Measures timeouts by `clock` itself.
  StationTable(const std::filesystem::path& streamd_directory, const AudioReader& reader, const Clock& clock)
      : StationTable(streamd_directory, reader, clock, clock) {}

  struct Gone {
    StationId id;
    std::string name;               // empty if it never came
    std::optional<Permalink> link;  // of a requested station whose row another station took
    SharedPermit permit;            // of its listener
  };
  // An accepted change that will not come into force.
  struct TakenBack {
    StationId id;               // the station's current one
    std::uint64_t request = 0;  // its number; no request up to it will still come into force
    MusicParameters target;     // what the station goes to instead
  };
  // Reads the table (`other_table`: it is another one); cheap if nothing has changed. Returns the stations
  // that have come, and those that are gone, or were requested and did not come within kOpenTimeoutNs.
  struct Changes {
    std::vector<StationId> came;
    std::vector<Gone> gone;
    std::vector<TakenBack> taken_back;
  };
  Changes refresh(bool other_table);

  // The station's state; null if it is gone or has not come yet. Valid until the next refresh().
  const StationState* find(const StationId& id) const;

  // By its name, personal stations too.
  std::optional<StationId> find(std::string_view name) const;
  // The one for listeners that name none: the station `default`, else the first configured one.
  std::optional<StationId> default_station() const;

  // In the order of the table. Valid until the next refresh().
  std::vector<std::pair<StationId, const StationState*>> all() const;
  std::vector<StationId> configured() const;

  std::size_t capacity() const { return reader_.capacity(); }  // rows of the table
  std::size_t personal() const;                                // stations
  // Rows that neither a station has nor a request; 0 if synthd is not running.
  std::size_t free_capacity() const;

  // Requests a personal station, which comes within a second, and ends some seconds after its last listener
  // has left (see close_idle). Nothing if there is no free row, or no synthd. `permit` is freed once the
  // station is gone, or did not come in time.
  std::optional<StationId> open(const Permalink& link, SharedPermit permit);
  // Gives the station, which came back with another id, the permit that it had.
  void keep(const StationId& id, SharedPermit permit);
  // Requests the end of a personal station whose last listener has left it for another personal one.
  void end(const StationId& id);

  // Whether it is a personal station that plays, or was requested.
  bool is_personal(const StationId& id) const;

  // Requests the end of personal stations that have had no listener for kIdleNs. About once a second.
  template <typename HasListeners>
  void close_idle(const HasListeners& has_listeners) {
    assert(checker_.is_current());
    for (auto& [index, station] : stations_) {
      const StationId id{index, station.generation};
      const bool idle = station.state.personal != 0 && !has_listeners(id);
      if (!idle) station.idle_since_ns = process_time_.now_ns();
      if (process_time_.now_ns() - station.idle_since_ns >= kIdleNs) close(id);
    }
  }

  // Requests a change relative to the last request. Nothing if synthd is not running.
  std::optional<Accepted> change(const StationId& id, const ParameterPatch& patch);
  std::optional<Accepted> choose(const StationId& id, const Preset& preset);

  // Nothing if the station is gone, or nothing of it was rendered yet.
  std::optional<StationStatus> status(const StationId& id) const;

  // The query of a URL that plays the station from now on.
  std::string permalink(const StationId& id) const;

  void beat() { writer_.beat(clock_.now_ns()); }

  static constexpr std::int64_t kIdleNs = 10 * kNsPerSecond;
  static constexpr std::int64_t kOpenTimeoutNs = 3 * kNsPerSecond;

 private:
  struct TableEntry {
    std::uint64_t generation = 0;
    StationState state;
    std::int64_t idle_since_ns = 0;
    std::uint64_t request_in_force = 0;  // number of the last request whose change has been rendered
    SharedPermit permit;
  };
  // A station that was requested and has not come yet.
  struct RequestedStation {
    std::uint64_t generation = 0;
    std::int64_t asked_ns = 0;
    std::string name;
    Permalink link;
    SharedPermit permit;
  };

  bool table_overwritten() const;
  void read_table(Changes& changes);
  void take_back(Changes& changes);
  void note_requests();
  bool in_force(const StationState& state, std::int64_t newest) const;
  std::optional<MusicParameters> target(const StationId& id) const;
  std::optional<Accepted> request(const StationId& id, const MusicParameters& parameters);
  void request_parameters(const StationId& id, const MusicParameters& parameters);
  void store(const StationId& id, ControlRequest request);
  void close(const StationId& id);
  // The chunk, in the station's own numbers, that listeners hear now.
  std::int64_t live_chunk(const StationState& state) const;

  ThreadChecker checker_;
  ControlWriter writer_;
  const AudioReader& reader_;
  const Clock& clock_;
  const Clock& process_time_;
  std::uint64_t table_version_ = 0;
  std::map<std::size_t, TableEntry> stations_;       // by index
  std::map<std::size_t, RequestedStation> pending_;  // by index
  AcceptedChanges accepted_;
};

}  // namespace auralis
