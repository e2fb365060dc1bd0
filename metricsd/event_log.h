// SPDX-License-Identifier: MIT
// Keeps what happened: daemons that went and came, chunks that were missing or overwritten, connections
// refused, changes of music and configuration, and alert conditions. For the time axis of the dashboard and
// for subscribers.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metricsd/conditions.h"
#include "metricsd/history.h"
#include "metricsd/snapshot.h"
#include "metricsd/station_links.h"

namespace auralis {

enum class EventKind {
  kUp,
  kDown,
  kHang,
  kHole,
  kOverrun,
  kFailover,
  kRefusals,
  kReload,
  kControl,
  kRaised,
  kCleared,
};
inline constexpr std::array<std::string_view, 11> kEventKinds{"up",      "down",     "hang",     "hole",
                                                              "overrun", "failover", "refusals", "reload",
                                                              "control", "raised",   "cleared"};
constexpr std::string_view event_kind_name(EventKind kind) {
  return kEventKinds.at(static_cast<std::size_t>(kind));
}

struct LoggedEvent {
  std::uint64_t id = 0;     // rises
  std::uint64_t seq = 0;    // rises by one each time that an event is noted or extended
  std::uint64_t point = 0;  // of the history, in which it was noted or last extended
  std::int64_t begin_unix_ns = 0;
  std::int64_t end_unix_ns = 0;  // of what is counted, which lasts
  EventKind kind = EventKind::kUp;
  Daemon process = Daemon::kMetricsd;  // the daemon that it concerns, or that counted it
  std::string subject;                 // the process, station, reason, result or condition
  double count = 0;                    // of what is counted
  double rise = 0;                     // likewise, in its last second
  bool bad = true;                     // false: as operators want it
  std::string message;                 // a sentence for people
  std::string link;                    // query of a permalink to the music of that moment; empty: none
};

struct CountedEvent;

// One thread at a time.
class EventLog {
 public:
  static constexpr std::size_t kMost = 200;
  // Rises of one kind and subject belong together unless they are further apart.
  static constexpr std::int64_t kTogetherNs = 3 * kNsPerSecond;

  // `links` must outlive it.
  explicit EventLog(StationLinks& links) : links_(links) {}

  // Notes what happened in the history's newest point, to which `families` was added. Call after each
  // Conditions::evaluate().
  void note(const History& history, const Conditions& conditions, const std::vector<DaemonEvent>& daemons,
            const std::vector<SnapshotFamily>& families);

  // The last ones, kMost of them at most, in the order in which they began. Those noted or extended in one
  // point have their numbers in that order, too.
  const std::deque<LoggedEvent>& events() const { return events_; }

 private:
  LoggedEvent& add(const History& history, EventKind kind, Daemon process, std::string subject,
                   std::string_view station = {});
  void note_counter(const History& history, const History::Series& series, const CountedEvent& counted);
  void note_reloads(const History& history, const std::vector<SnapshotFamily>& families);
  void note_condition(const History& history, std::size_t rule, const Condition& condition);

  StationLinks& links_;
  std::uint64_t last_id_ = 0;
  std::uint64_t last_seq_ = 0;
  std::deque<LoggedEvent> events_;
  std::array<bool, kAlertRules.size()> firing_{};
  std::array<std::optional<double>, 3> reloaded_{};  // Unix seconds at the last point, by daemon_index()
  std::array<std::optional<double>, 3> started_{};   // likewise, of the process
};

}  // namespace auralis
