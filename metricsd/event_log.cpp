// SPDX-License-Identifier: MIT
#include "metricsd/event_log.h"

#include <algorithm>
#include <utility>

namespace auralis {
namespace {

std::string counted(double count, std::string_view one, std::string_view several) {
  const auto whole = static_cast<std::uint64_t>(count);
  return std::to_string(whole) + " " + std::string(whole == 1 ? one : several);
}

std::string sentence(const LoggedEvent& event) {
  const std::string station = "Station " + event.subject + ": ";
  switch (event.kind) {
    case EventKind::kHole:
      return station + counted(event.count, "chunk was", "chunks were") + " not there when due";
    case EventKind::kOverrun:
      return "streamd was lapped " + counted(event.count, "time", "times");
    case EventKind::kFailover:
      return "The device failed, the native engine renders: " + counted(event.count, "failover", "failovers");
    case EventKind::kRefusals:
      return counted(event.count, "connection", "connections") + " refused: " + event.subject;
    default:
      return counted(event.count, "control message ", "control messages ") + event.subject;
  }
}

EventKind kind_of(DaemonChange change) {
  if (change == DaemonChange::kUp) return EventKind::kUp;
  return change == DaemonChange::kHang ? EventKind::kHang : EventKind::kDown;
}

bool is_bad(EventKind kind, std::string_view subject) {
  if (kind == EventKind::kControl) return subject != "accepted";
  return kind != EventKind::kUp && kind != EventKind::kCleared;
}

// The value of a gauge with label process; nothing if there is none.
std::optional<double> process_gauge(const std::vector<SnapshotFamily>& families, std::string_view name,
                                    Daemon process) {
  for (const auto& family : families) {
    if (family.name != name) continue;
    for (const auto& sample : family.samples) {
      if (label_value(sample.spec.labels, "process") == daemon_name(process)) return sample.value;
    }
  }
  return std::nullopt;
}

}  // namespace

// Event that is seen as a rise of a counter. `label` tells the subject; empty: it is the process.
struct CountedEvent {
  std::string_view counter;
  EventKind kind;
  Daemon process;
  std::string_view label;
};

namespace {

constexpr std::array<CountedEvent, 5> kCounted{{
    {"ring_buffer_underruns_total", EventKind::kHole, Daemon::kStreamd, "station"},
    {"ring_buffer_overruns_total", EventKind::kOverrun, Daemon::kStreamd, ""},
    {"auralis_engine_failovers_total", EventKind::kFailover, Daemon::kSynthd, ""},
    {"websocket_connections_rejected_total", EventKind::kRefusals, Daemon::kStreamd, "reason"},
    {"auralis_control_messages_total", EventKind::kControl, Daemon::kStreamd, "result"},
}};

}  // namespace

void EventLog::note(const History& history, const Conditions& conditions,
                    const std::vector<DaemonEvent>& daemons, const std::vector<SnapshotFamily>& families) {
  for (const auto& event : daemons) {
    const std::string name(daemon_name(event.daemon));
    add(history, kind_of(event.change), event.daemon, name).message = event.message;
  }
  for (const auto& series : history.series()) {
    for (const auto& counted_event : kCounted) {
      if (series.name == counted_event.counter) note_counter(history, series, counted_event);
    }
  }
  note_reloads(history, families);
  for (std::size_t rule = 0; rule < kAlertRules.size(); ++rule) {
    note_condition(history, rule, conditions.now().at(rule));
  }
  while (events_.size() > kMost) events_.pop_front();
  for (auto& event : events_) {
    if (event.point == history.newest()) event.seq = ++last_seq_;
  }
}

LoggedEvent& EventLog::add(const History& history, EventKind kind, Daemon process, std::string subject,
                           std::string_view station) {
  LoggedEvent event;
  event.id = ++last_id_;
  event.point = history.newest();
  event.begin_unix_ns = event.end_unix_ns = history.unix_ns(history.newest());
  event.kind = kind;
  event.process = process;
  event.subject = std::move(subject);
  event.bad = is_bad(kind, event.subject);
  event.link = links_.link(station, history.time_ns(history.newest())).value_or("");
  return events_.emplace_back(std::move(event));
}

// Extends the last event of that kind and subject, if it was just now.
void EventLog::note_counter(const History& history, const History::Series& series,
                            const CountedEvent& counted_event) {
  const float rise = history.value(series, history.newest());
  if (!(rise > 0)) return;
  const std::string_view label = series.label(counted_event.label);
  const std::string subject(counted_event.label.empty() ? daemon_name(counted_event.process) : label);
  const auto last = std::find_if(events_.rbegin(), events_.rend(), [&](const LoggedEvent& event) {
    return event.kind == counted_event.kind && event.subject == subject;
  });
  const bool lasts = last != events_.rend() && last->point >= history.oldest() &&
                     history.time_ns(history.newest()) - history.time_ns(last->point) <= kTogetherNs;
  const std::string_view station = counted_event.label == "station" ? label : std::string_view{};
  LoggedEvent& event =
      lasts ? *last : add(history, counted_event.kind, counted_event.process, subject, station);
  event.point = history.newest();
  event.end_unix_ns = history.unix_ns(history.newest());
  event.rise = static_cast<double>(rise);
  event.count += event.rise;
  event.message = sentence(event);
}

// A process that was absent, or has another start, has loaded its first configuration, which is no event.
void EventLog::note_reloads(const History& history, const std::vector<SnapshotFamily>& families) {
  for (const Daemon daemon : kDaemons) {
    const std::string name(daemon_name(daemon));
    const auto at_s = process_gauge(families, "auralis_config_last_reload_timestamp_seconds", daemon);
    const auto start_s = process_gauge(families, "process_start_time_seconds", daemon);
    const auto before_s = std::exchange(reloaded_.at(daemon_index(daemon)), at_s);
    const auto start_before_s = std::exchange(started_.at(daemon_index(daemon)), start_s);
    if (!at_s || !before_s || *at_s == *before_s || start_s != start_before_s) continue;
    const bool good = process_gauge(families, "auralis_config_last_reload_successful", daemon) != 0.0;
    LoggedEvent& event = add(history, EventKind::kReload, daemon, name);
    event.bad = !good;
    event.message = name + (good ? " has reloaded its configuration"
                                 : " could not reload its configuration: see its log");
  }
}

void EventLog::note_condition(const History& history, std::size_t rule, const Condition& condition) {
  const bool fires = condition.state == AlertState::kFiring;
  if (fires == firing_.at(rule)) return;
  firing_.at(rule) = fires;
  const std::string name(kAlertRules.at(rule).name);
  LoggedEvent& event =
      add(history, fires ? EventKind::kRaised : EventKind::kCleared, Daemon::kMetricsd, name);
  event.message = name + (fires ? " fires" : " has ended");
  if (fires && !condition.subject.empty()) event.message += ": " + condition.subject;
}

}  // namespace auralis
