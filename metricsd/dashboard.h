// SPDX-License-Identifier: MIT
// The data of the dashboard: keeps the history, evaluates the alert conditions, and answers as JSON.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/config/config.h"
#include "metricsd/conditions.h"
#include "metricsd/dashboard_json.h"
#include "metricsd/event_log.h"
#include "metricsd/exemplars.h"
#include "metricsd/history.h"
#include "metricsd/snapshot.h"
#include "metricsd/station_links.h"

namespace auralis {

// Any thread: one mutex, which no other process or audio path waits for.
class Dashboard {
 public:
  // `clock` must outlive it. `run_id`: another for each start of metricsd.
  Dashboard(const Config& config, const Clock& clock, std::string run_id);

  // Adds a second: a snapshot, and the daemons that changed since the one before. Returns it in the form of
  // whole(): what a page that has all that came before has to append.
  std::string add(const Snapshot& snapshot, const std::vector<DaemonEvent>& daemons);

  // All that is kept, as JSON (dashboard_json.h).
  std::string whole() const;

  // The events noted or extended in the second that was last added, in the order of their numbers.
  std::vector<LoggedEvent> newest_events() const;

  // What OpenMetrics shows of what was missing or late last.
  std::vector<Exemplar> exemplars() const;

  // The last events, at most `count`, in the order in which they began.
  std::vector<LoggedEvent> last_events(std::size_t count) const;

 private:
  std::string json_from(std::uint64_t first_point) const AURALIS_REQUIRES(mutex_);

  const Clock& clock_;
  const std::string run_id_;
  const PlayerAddress player_;
  const std::int64_t chunk_ns_;
  mutable Mutex mutex_;
  StationLinks links_ AURALIS_GUARDED_BY(mutex_);
  History history_ AURALIS_GUARDED_BY(mutex_);
  Conditions conditions_ AURALIS_GUARDED_BY(mutex_);
  EventLog events_ AURALIS_GUARDED_BY(mutex_){links_};
  Exemplars exemplars_ AURALIS_GUARDED_BY(mutex_){links_};
  std::array<DaemonState, 3> daemons_ AURALIS_GUARDED_BY(mutex_){};
};

}  // namespace auralis
