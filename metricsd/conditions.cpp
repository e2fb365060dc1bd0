// SPDX-License-Identifier: MIT
#include "metricsd/conditions.h"

#include <algorithm>
#include <vector>

#include "common/metrics/metric_names.h"
#include "common/metrics/station_labels.h"
#include "metricsd/history_queries.h"

namespace auralis {
namespace {

using SeriesList = std::vector<const History::Series*>;

SeriesList series_of(const History& history, std::string_view name) {
  SeriesList found;
  for_each_series(history, name, [&](const History::Series& series) { found.push_back(&series); });
  return found;
}

// How many personal stations there were; at least 1.
double personal_stations(const History& history, const SeriesList& stations, std::uint64_t point) {
  for (const auto* series : stations) {
    const auto count = static_cast<double>(history.value(*series, point));
    if (series->label("kind") == kPersonalLabel && count > 1) return count;
  }
  return 1;
}

// The share of a point's chunks that were silence at the worst station; personal ones count as their mean.
double silent_share(const History& history, const SeriesList& underruns, const SeriesList& stations,
                    std::uint64_t point, std::int64_t chunk_ns) {
  double worst = 0;
  for (const auto* series : underruns) {
    const auto rise = static_cast<double>(history.value(*series, point));
    if (!(rise > 0)) continue;
    const bool personal = series->label("station") == kPersonalLabel;
    worst = std::max(worst, personal ? rise / personal_stations(history, stations, point) : rise);
  }
  const std::int64_t elapsed_ns =
      point > history.oldest() ? history.time_ns(point) - history.time_ns(point - 1) : kNsPerSecond;
  return std::min(
      1.0, worst * static_cast<double>(chunk_ns) / static_cast<double>(std::max(chunk_ns, elapsed_ns)));
}

bool holds(const AlertRule& rule, double measured) {
  if (rule.comparison == ">") return measured > rule.threshold;
  if (rule.comparison == "<") return measured < rule.threshold;
  return measured == rule.threshold;
}

bool worse(const AlertRule& rule, double a, double b) { return rule.comparison == ">" ? a > b : a < b; }

}  // namespace

std::optional<double> ErrorBudget::left_percent() const {
  if (!(due > 0)) return std::nullopt;
  const double bad = std::min(due, lost + silent);
  return 100 - 100 * bad / (due * (100 - kTargetPercent) / 100);
}

ErrorBudget error_budget(const History& history, std::int64_t chunk_ns) {
  const double left =
      increase_of(history, kChunksDropped, History::kSpanNs,
                  [](const History::Series& series) { return series.label("reason") == "disconnect"; });
  ErrorBudget budget;
  budget.due = std::max(0.0, increase_of(history, kChunksDue, History::kSpanNs) +
                                 increase_of(history, kChunksUncounted, History::kSpanNs) - left);
  budget.lost = std::max(0.0, budget.due - increase_of(history, kChunksOnTime, History::kSpanNs));
  const SeriesList underruns = series_of(history, "ring_buffer_underruns_total");
  const SeriesList stations = series_of(history, "auralis_stations");
  for (const auto* due : series_of(history, kChunksDue)) {
    for (std::uint64_t point = history.oldest(); point <= history.newest(); ++point) {
      const auto chunks = static_cast<double>(history.value(*due, point));
      if (chunks > 0) budget.silent += chunks * silent_share(history, underruns, stations, point, chunk_ns);
    }
  }
  return budget;
}

void Conditions::evaluate(const History& history) {
  memory_.note(history);
  for (std::size_t rule = 0; rule < kAlertRules.size(); ++rule) {
    const AlertRule& alert = kAlertRules.at(rule);
    evaluate(rule, alert.measure({history, memory_, alert.threshold}), history);
  }
}

void Conditions::evaluate(std::size_t rule, const AlertReadings& readings, const History& history) {
  const AlertRule& alert = kAlertRules.at(rule);
  const std::int64_t now_ns = history.time_ns(history.newest());
  std::map<std::string, std::int64_t> true_since_ns;
  Condition next;
  const AlertReading* worst = nullptr;
  for (const auto& reading : readings) {
    if (worst == nullptr || worse(alert, reading.measured, worst->measured)) worst = &reading;
    if (!reading.counts || !holds(alert, reading.measured)) continue;
    const auto before = true_since_ns_.at(rule).find(reading.subject);
    const std::int64_t since_ns = before == true_since_ns_.at(rule).end() ? now_ns : before->second;
    true_since_ns[reading.subject] = since_ns;
    const bool long_enough = now_ns - since_ns >= alert.for_s * kNsPerSecond;
    next.state = std::max(next.state, long_enough ? AlertState::kFiring : AlertState::kPending);
  }
  true_since_ns_.at(rule) = std::move(true_since_ns);
  if (worst != nullptr) {
    next.subject = worst->subject;
    next.measured = worst->measured;
  }
  Condition& condition = conditions_.at(rule);
  const bool changed = condition.since_unix_ns == 0 || next.state != condition.state;
  next.since_unix_ns = changed ? history.unix_ns(history.newest()) : condition.since_unix_ns;
  condition = std::move(next);
}

}  // namespace auralis
