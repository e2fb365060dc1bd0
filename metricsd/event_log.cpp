// SPDX-License-Identifier: MIT
#include "metricsd/event_log.h"

#include <algorithm>

#include "common/metrics/station_labels.h"

namespace auralis {
namespace {

constexpr std::string_view kUnderrun = "underrun";
constexpr std::string_view kOverrun = "overrun";

std::string counted(double count, std::string_view one, std::string_view several) {
  const auto whole = static_cast<std::uint64_t>(count);
  return std::to_string(whole) + " " + std::string(whole == 1 ? one : several);
}

std::string sentence(const LoggedEvent& event) {
  const std::string station = "Station " + event.subject + ": ";
  if (event.kind == kUnderrun) {
    return station + counted(event.count, "chunk was", "chunks were") + " not there when due";
  }
  return station + "streamd was lapped " + counted(event.count, "time", "times");
}

}  // namespace

void EventLog::note(const History& history, const Conditions& conditions,
                    const std::vector<DaemonEvent>& daemons) {
  for (const auto& event : daemons) {
    add(history, event.up ? "up" : "down", std::string(daemon_name(event.daemon)), "").message =
        event.message;
  }
  for (const auto& series : history.series()) {
    if (series.name == "ring_buffer_underruns_total") note_counter(history, series, kUnderrun);
    if (series.name == "ring_buffer_overruns_total") note_counter(history, series, kOverrun);
  }
  for (std::size_t rule = 0; rule < kAlertRules.size(); ++rule) {
    note_condition(history, rule, conditions.now().at(rule));
  }
  while (events_.size() > kMost || (!events_.empty() && events_.front().point < history.oldest())) {
    events_.pop_front();
  }
}

LoggedEvent& EventLog::add(const History& history, std::string_view kind, std::string subject,
                           std::string_view station) {
  LoggedEvent event;
  event.id = ++last_id_;
  event.point = history.newest();
  event.begin_unix_ns = event.end_unix_ns = history.unix_ns(history.newest());
  event.kind = kind;
  event.subject = std::move(subject);
  event.link = links_.link(station, history.time_ns(history.newest())).value_or("");
  return events_.emplace_back(std::move(event));
}

// Extends the station's last event of that kind, if it was just now.
void EventLog::note_counter(const History& history, const History::Series& series, std::string_view kind) {
  const float rise = history.value(series, history.newest());
  if (!(rise > 0)) return;
  const std::string station(series.label("station"));
  const auto last = std::find_if(events_.rbegin(), events_.rend(), [&](const LoggedEvent& event) {
    return event.kind == kind && event.subject == station;
  });
  const bool lasts = last != events_.rend() && last->point >= history.oldest() &&
                     history.time_ns(history.newest()) - history.time_ns(last->point) <= kTogetherNs;
  LoggedEvent& event = lasts ? *last : add(history, kind, station, station);
  event.point = history.newest();
  event.end_unix_ns = history.unix_ns(history.newest());
  event.count += static_cast<double>(rise);
  event.message = sentence(event);
}

void EventLog::note_condition(const History& history, std::size_t rule, const Condition& condition) {
  const bool fires = condition.state == AlertState::kFiring;
  if (fires == firing_.at(rule)) return;
  firing_.at(rule) = fires;
  const std::string name(kAlertRules.at(rule).name);
  LoggedEvent& event = add(history, fires ? "raised" : "cleared", name, "");
  event.message = name + (fires ? " fires" : " has ended");
  if (fires && !condition.subject.empty()) event.message += ": " + condition.subject;
}

}  // namespace auralis
