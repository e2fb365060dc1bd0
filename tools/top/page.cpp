// SPDX-License-Identifier: MIT
#include "tools/top/page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <sstream>

#include "common/base/wrapped_text.h"

namespace auralis {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::string_view kIndent = "  ";

// Of one line; cut if it is too long.
template <typename... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, kWidth + 1> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

// "-" for what is absent.
std::string number(const std::optional<double>& value, const char* format = "%.1f") {
  return value ? formatted(format, *value) : "-";
}

std::string clock_time(std::int64_t unix_ns) {
  const auto seconds = static_cast<std::time_t>(unix_ns / kNsPerSecond);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return formatted("%02d:%02d:%02d", local.tm_hour, local.tm_min, local.tm_sec);
}

Emphasis emphasis_of(Health health) {
  if (health == Health::kHealthy) return Emphasis::kHeading;
  return health == Health::kDegraded ? Emphasis::kWarning : Emphasis::kBad;
}

// In as many lines as it needs; the first one begins with `indent`, the others are indented.
void add_wrapped(const std::string& text, std::string_view indent, Emphasis emphasis,
                 std::vector<Line>& page) {
  std::istringstream lines(wrapped(text, kWidth - kIndent.size(), "\n"));
  for (std::string line; std::getline(lines, line); indent = kIndent)
    page.push_back({(std::string(indent) + line).substr(0, kWidth), emphasis});
}

void add_daemon(const DaemonView& daemon, std::vector<Line>& page) {
  const bool up = daemon.status == DaemonStatus::kUp;
  const std::string name(daemon_name(daemon.daemon));
  const std::string status(status_name(daemon.status));
  std::string text = formatted("%-9s %-10s", name.c_str(), status.c_str());
  if (up && daemon.daemon == Daemon::kMetricsd) {
    text += " its port takes connections";
  } else if (up) {
    text += formatted(" heartbeat %4s s   CPU %5s %%   memory %7s MB", number(daemon.heartbeat_age_s).c_str(),
                      number(daemon.cpu_percent).c_str(), number(daemon.memory_mb).c_str());
  } else if (daemon.heartbeat_age_s) {
    text += formatted(" heartbeat %4s s", number(daemon.heartbeat_age_s).c_str());
  }
  page.push_back({text, up ? Emphasis::kPlain : Emphasis::kBad});
  add_wrapped(daemon.problem, kIndent, Emphasis::kBad, page);
}

Line listeners_line(const View& view) {
  return {formatted("listeners %s, %s behind   success %s %%   %s Mbit/s   machine's CPU %s %%",
                    number(view.listeners, "%.0f").c_str(), number(view.listeners_behind, "%.0f").c_str(),
                    number(view.success_percent, "%.2f").c_str(), number(view.bandwidth_mbps).c_str(),
                    number(view.machine_cpu_percent, "%.0f").c_str()),
          {}};
}

// Adds the listeners by format, and how far synthd is from not keeping up.
void add_formats(const View& view, std::vector<Line>& page) {
  std::string formats;
  for (const auto& [format, count] : view.listeners_by_format)
    formats += formatted("%s%s %.0f", formats.empty() ? "" : ", ", format.c_str(), count);
  if (formats.empty()) formats = "-";
  add_wrapped(formatted("hearing %s; synthd renders at %s x real time", formats.c_str(),
                        number(view.realtime_factor).c_str()),
              "", Emphasis::kPlain, page);
}

Line latency_line(const LatencyView& latency) {
  const std::string name(latency.name);
  return {formatted("%-20s %9s %9s %9s", name.c_str(), number(latency.p50).c_str(),
                    number(latency.p95).c_str(), number(latency.p99).c_str()),
          {}};
}

// Reasons that occur, each with its rate.
void add_drops(const View& view, std::vector<Line>& page) {
  std::string text;
  for (const DropView& drop : view.drops) {
    if (drop.per_s > 0) text += formatted(" %s %.1f", drop.reason.c_str(), drop.per_s);
  }
  const Emphasis emphasis = text.empty() && view.overruns == 0 ? Emphasis::kPlain : Emphasis::kWarning;
  if (text.empty()) text = view.drops.empty() ? " -" : " none";
  add_wrapped("dropped a second:" + text + formatted("; overruns %.0f", view.overruns), "", emphasis, page);
}

// The peak in dBFS; that of digital silence as -99.
std::string peak_db(const StationView& station) {
  if (!station.peak) return "-";
  return formatted("%.0f", std::max(-99.0, 20 * std::log10(*station.peak)));
}

Line station_line(const StationView& station) {
  const bool troubled = station.underruns > 0 || station.depth_ms.value_or(0) < 200;
  const std::string audio =
      formatted("%-31s %5s %5s %5s", station.name.c_str(), number(station.depth_ms, "%.0f").c_str(),
                number(station.utilization_percent, "%.0f").c_str(), peak_db(station).c_str());
  const std::string counts =
      formatted(" %10s %9.0f", number(station.chunks, "%.0f").c_str(), station.underruns);
  return {(audio + counts).substr(0, kWidth), troubled ? Emphasis::kWarning : Emphasis::kPlain};
}

void add_conditions(const View& view, std::vector<Line>& page) {
  page.push_back({"conditions", Emphasis::kHeading});
  const std::size_t before = page.size();
  for (std::size_t i = 0; i < kAlertRules.size(); ++i) {
    const Condition& condition = view.conditions.at(i);
    if (condition.state == AlertState::kInactive) continue;
    const AlertRule& rule = kAlertRules.at(i);
    const std::string subject = condition.subject.empty() ? "" : " of " + condition.subject;
    std::string text;
    text.append(rule.severity).append(" ").append(rule.name).append(subject).append(" ");
    text.append(state_name(condition.state)).append(", ").append(number(condition.measured, "%.0f"));
    text.append(" (").append(rule.comparison).append(formatted(" %g", rule.threshold));
    if (!rule.unit.empty()) text.append(" ").append(rule.unit);
    text.append("), since ").append(clock_time(condition.since_unix_ns));
    add_wrapped(text, "", condition.state == AlertState::kFiring ? Emphasis::kBad : Emphasis::kWarning, page);
  }
  if (page.size() == before) page.push_back({"none holds", {}});
}

}  // namespace

std::string_view status_name(DaemonStatus status) {
  switch (status) {
    case DaemonStatus::kUp:
      return "up";
    case DaemonStatus::kHung:
      return "hung";
    case DaemonStatus::kDown:
      return "down";
    case DaemonStatus::kUnreadable:
      break;
  }
  return "unreadable";
}

std::string_view health_name(Health health) {
  switch (health) {
    case Health::kHealthy:
      return "healthy";
    case Health::kDegraded:
      return "degraded";
    case Health::kDown:
      break;
  }
  return "down";
}

std::string_view state_name(AlertState state) {
  switch (state) {
    case AlertState::kInactive:
      return "inactive";
    case AlertState::kPending:
      return "pending";
    case AlertState::kFiring:
      break;
  }
  return "firing";
}

std::vector<Line> page_of(const View& view) {
  const std::string health(health_name(view.health));
  std::vector<Line> page{{formatted("Auralis is %s at %s; last %.0f s", health.c_str(),
                                    clock_time(view.unix_ns).c_str(), view.window_s),
                          emphasis_of(view.health)}};
  for (const DaemonView& daemon : view.daemons) add_daemon(daemon, page);
  page.push_back(listeners_line(view));
  add_formats(view, page);
  add_drops(view, page);
  page.push_back({formatted("%-20s %9s %9s %9s", "latency in ms", "p50", "p95", "p99"), Emphasis::kHeading});
  for (const LatencyView& latency : view.latencies) page.push_back(latency_line(latency));
  add_conditions(view, page);
  page.push_back(
      {"station                            ms full%  dBFS     chunks underruns", Emphasis::kHeading});
  for (const StationView& station : view.stations) page.push_back(station_line(station));
  return page;
}

std::string text_of(const std::vector<Line>& page) {
  std::string text;
  for (const Line& line : page) text += line.text + '\n';
  return text;
}

}  // namespace auralis
