// SPDX-License-Identifier: MIT
#include "metricsd/dashboard_json.h"

#include <cmath>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

namespace auralis {
namespace {

// With float numbers, which are written with as few digits as tell them apart. Moments are whole
// milliseconds.
using Json = nlohmann::basic_json<nlohmann::ordered_map, std::vector, std::string, bool, std::int64_t,
                                  std::uint64_t, float>;

constexpr double kMostWhole = 9'007'199'254'740'992;  // 2^53: each whole number up to it is exact

std::int64_t to_ms(std::int64_t ns) { return ns / kNsPerMs; }

// Counts are whole numbers, also those that a float cannot hold.
Json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == std::trunc(value) && std::abs(value) <= kMostWhole) return static_cast<std::int64_t>(value);
  return static_cast<float>(value);
}

Json number(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }

const char* type_name(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kGauge:
      break;
  }
  return "gauge";
}

const char* state_name(AlertState state) {
  switch (state) {
    case AlertState::kPending:
      return "pending";
    case AlertState::kFiring:
      return "firing";
    case AlertState::kInactive:
      break;
  }
  return "inactive";
}

// A histogram's point: the buckets that rose, each with its index before it; most did not.
Json buckets_json(const History& history, const History::Series& series, std::uint64_t point) {
  if (std::isnan(history.value(series, point))) return nullptr;
  Json pairs = Json::array();
  for (std::size_t bucket = 0; bucket <= series.bounds.size(); ++bucket) {
    const float rise = history.value(series, point, bucket);
    if (rise == 0) continue;
    pairs.push_back(bucket);
    pairs.push_back(number(static_cast<double>(rise)));
  }
  return pairs;
}

Json series_json(const History& history, const History::Series& series, std::uint64_t first) {
  Json labels = Json::object();
  for (const auto& label : series.labels) labels[label.name] = label.value;
  Json json{{"name", series.name}, {"type", type_name(series.type)}, {"labels", std::move(labels)}};
  const bool histogram = series.type == MetricType::kHistogram;
  if (histogram) {
    Json bounds = Json::array();
    for (const double bound : series.bounds) bounds.push_back(number(bound));
    json["bounds"] = std::move(bounds);
  }
  if (series.type == MetricType::kCounter) json["total"] = number(series.total);
  Json values = Json::array();
  for (std::uint64_t point = first; point <= history.newest(); ++point) {
    values.push_back(histogram ? buckets_json(history, series, point)
                               : number(static_cast<double>(history.value(series, point))));
  }
  json["values"] = std::move(values);
  return json;
}

Json conditions_json(const Conditions& conditions) {
  Json json = Json::array();
  for (std::size_t i = 0; i < kAlertRules.size(); ++i) {
    const AlertRule& rule = kAlertRules.at(i);
    const Condition& condition = conditions.now().at(i);
    json.push_back({{"name", rule.name},
                    {"severity", rule.severity},
                    {"state", state_name(condition.state)},
                    {"since_ms", to_ms(condition.since_unix_ns)},
                    {"subject", condition.subject},
                    {"measured", number(condition.measured)},
                    {"comparison", rule.comparison},
                    {"threshold", number(rule.threshold)},
                    {"unit", rule.unit},
                    {"for_s", rule.for_s},
                    {"meaning", rule.meaning}});
  }
  return json;
}

Json events_json(const std::deque<LoggedEvent>& events, std::uint64_t first) {
  Json json = Json::array();
  for (const auto& event : events) {
    if (event.point < first) continue;
    json.push_back({{"id", event.id},
                    {"begin_ms", to_ms(event.begin_unix_ns)},
                    {"end_ms", to_ms(event.end_unix_ns)},
                    {"kind", event_kind_name(event.kind)},
                    {"subject", event.subject},
                    {"count", number(event.count)},
                    {"bad", event.bad},
                    {"message", event.message},
                    {"link", event.link}});
  }
  return json;
}

Json budget_json(const ErrorBudget& budget) {
  return {{"target_percent", number(ErrorBudget::kTargetPercent)},
          {"due", number(budget.due)},
          {"lost", number(budget.lost)},
          {"silent", number(std::round(budget.silent))},
          {"left_percent", number(budget.left_percent())}};
}

Json daemons_json(const std::array<DaemonState, 3>& states) {
  Json json = Json::array();
  for (const Daemon daemon : kDaemons) {
    const DaemonState& state = states.at(daemon_index(daemon));
    json.push_back({{"name", daemon_name(daemon)},
                    {"up", state.up},
                    {"since_ms", to_ms(state.since_unix_ns)},
                    {"message", state.message}});
  }
  return json;
}

}  // namespace

std::string dashboard_json(const DashboardParts& parts, std::uint64_t first) {
  const History& history = parts.history;
  Json times = Json::array();
  Json series = Json::array();
  for (std::uint64_t point = first; point <= history.newest(); ++point) {
    times.push_back(to_ms(history.unix_ns(point)));
  }
  for (const auto& one : history.series()) series.push_back(series_json(history, one, first));
  const Json json{{"run", parts.run_id},
                  {"version", AURALIS_VERSION},
                  {"player", {{"port", parts.player.port}, {"tls", parts.player.tls}}},
                  {"first", first},
                  {"times_ms", std::move(times)},
                  {"daemons", daemons_json(parts.daemons)},
                  {"conditions", conditions_json(parts.conditions)},
                  {"budget", budget_json(error_budget(history, parts.chunk_ns))},
                  {"events", events_json(parts.events.events(), first)},
                  {"series", std::move(series)}};
  // Text from another process need not be UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace auralis
