// SPDX-License-Identifier: MIT
// What happened within the history: daemons that went and came, chunks that were missing or overwritten, and
// alert conditions. For the time axis of the dashboard.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "metricsd/conditions.h"
#include "metricsd/history.h"
#include "metricsd/snapshot.h"
#include "metricsd/station_links.h"

namespace auralis {

struct LoggedEvent {
  std::uint64_t id = 0;     // rises
  std::uint64_t point = 0;  // of the history, in which it was noted or last extended
  std::int64_t begin_unix_ns = 0;
  std::int64_t end_unix_ns = 0;  // of underruns and overruns, which last
  std::string_view kind;         // up, down, underrun, overrun, raised, cleared
  std::string subject;           // the process, station or condition
  double count = 0;              // of underruns and overruns
  std::string message;           // a sentence for people
  std::string link;              // query of a permalink to the music of that moment; empty: none
};

// One thread at a time.
class EventLog {
 public:
  static constexpr std::size_t kMost = 200;
  // Underruns of a station belong together unless so much time without any lies between.
  static constexpr std::int64_t kTogetherNs = 3 * kNsPerSecond;

  // `links` must outlive it.
  explicit EventLog(StationLinks& links) : links_(links) {}

  // Notes what happened in the history's newest point. Call after each Conditions::evaluate().
  void note(const History& history, const Conditions& conditions, const std::vector<DaemonEvent>& daemons);

  // Those that ended in a point of the history that is kept, at most kMost, oldest first.
  const std::deque<LoggedEvent>& events() const { return events_; }

 private:
  LoggedEvent& add(const History& history, std::string_view kind, std::string subject,
                   std::string_view station);
  void note_counter(const History& history, const History::Series& series, std::string_view kind);
  void note_condition(const History& history, std::size_t rule, const Condition& condition);

  StationLinks& links_;
  std::uint64_t last_id_ = 0;
  std::deque<LoggedEvent> events_;
  std::array<bool, kAlertRules.size()> firing_{};
};

}  // namespace auralis
