// SPDX-License-Identifier: MIT
#include "metricsd/conditions.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "common/metrics/metric_names.h"
#include "common/metrics/station_labels.h"

namespace auralis {
namespace {

constexpr std::int64_t kMinuteNs = 60 * kNsPerSecond;
constexpr std::int64_t kHourNs = 60 * kMinuteNs;
// Of monitoring/prometheus/prometheus.yml: what its rules see as one change.
constexpr std::int64_t kScrapeNs = 5 * kNsPerSecond;
// Of the memory of an hour: Prometheus' own default interval, dense enough for a slope.
constexpr std::int64_t kMemoryPeriodNs = 15 * kNsPerSecond;
// An older result of auralis-probe tells nothing about now; it is still shown. As the rule has it, to within
// a minute: the history's numbers are no more precise.
constexpr double kProbeResultAgeS = 900;

template <typename Use>
void for_each_series(const History& history, std::string_view name, Use use) {
  for (const auto& series : history.series()) {
    if (series.name == name) use(series);
  }
}

template <typename Use>
void for_each_gauge(const History& history, std::string_view name, Use use) {
  for_each_series(history, name, [&](const History::Series& series) {
    const float value = history.value(series, history.newest());
    if (!std::isnan(value)) use(series, static_cast<double>(value));
  });
}

double increase(const History& history, std::string_view name, std::int64_t span_ns,
                std::string_view label_value = {}) {
  double sum = 0;
  for_each_series(history, name, [&](const History::Series& series) {
    if (label_value.empty() || series.label("reason") == label_value)
      sum += history.increase(series, span_ns);
  });
  return sum;
}

// How many scrapes of the last five minutes would have found that the counter rose.
double changes(const History& history, const History::Series& series) {
  std::set<std::int64_t> scrapes;
  for (std::uint64_t point = history.newest(); point >= history.oldest(); --point) {
    if (history.time_ns(point) <= history.time_ns(history.newest()) - 5 * kMinuteNs) break;
    if (history.value(series, point) > 0) scrapes.insert(history.time_ns(point) / kScrapeNs);
  }
  return static_cast<double>(scrapes.size());
}

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

// Least-squares slope, as Prometheus' deriv().
template <typename Points>
std::optional<double> slope_per_hour(const Points& points) {
  if (points.size() < 2) return std::nullopt;
  const auto hours = [&](const auto& point) {
    return static_cast<double>(point.now_ns - points.front().now_ns) / static_cast<double>(kHourNs);
  };
  double mean_hours = 0;
  double mean_mb = 0;
  for (const auto& point : points) {
    mean_hours += hours(point) / static_cast<double>(points.size());
    mean_mb += point.mb / static_cast<double>(points.size());
  }
  double covariance = 0;
  double variance = 0;
  for (const auto& point : points) {
    covariance += (hours(point) - mean_hours) * (point.mb - mean_mb);
    variance += (hours(point) - mean_hours) * (hours(point) - mean_hours);
  }
  return covariance / variance;
}

bool holds(const AlertRule& rule, double measured) {
  if (rule.comparison == ">") return measured > rule.threshold;
  if (rule.comparison == "<") return measured < rule.threshold;
  return measured == rule.threshold;
}

bool worse(const AlertRule& rule, double a, double b) { return rule.comparison == ">" ? a > b : a < b; }

// The label by which the series of a rule differ.
std::string subject_of(const History::Series& series) {
  return series.labels.empty() ? std::string() : series.labels.front().value;
}

}  // namespace

std::optional<double> ErrorBudget::left_percent() const {
  if (!(due > 0)) return std::nullopt;
  const double bad = std::min(due, lost + silent);
  return 100 - 100 * bad / (due * (100 - kTargetPercent) / 100);
}

ErrorBudget error_budget(const History& history, std::int64_t chunk_ns) {
  const double left = increase(history, kChunksDropped, History::kSpanNs, "disconnect");
  ErrorBudget budget;
  budget.due = std::max(0.0, increase(history, kChunksDue, History::kSpanNs) - left);
  budget.lost = std::max(0.0, budget.due - increase(history, kChunksOnTime, History::kSpanNs));
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
  note_memory(history);
  for (std::size_t rule = 0; rule < kAlertRules.size(); ++rule) {
    evaluate(rule, readings_of(rule, history), history);
  }
}

void Conditions::note_memory(const History& history) {
  const std::int64_t now_ns = history.time_ns(history.newest());
  for_each_gauge(history, "auralis_memory_mb", [&](const History::Series& series, double mb) {
    if (series.label("kind") != "anon") return;
    auto& points = memory_[subject_of(series)];
    if (points.empty() || now_ns - points.back().now_ns >= kMemoryPeriodNs) points.push_back({now_ns, mb});
  });
  for (auto process = memory_.begin(); process != memory_.end();) {
    auto& points = process->second;
    while (!points.empty() && points.front().now_ns <= now_ns - kHourNs) points.pop_front();
    process = points.empty() ? memory_.erase(process) : std::next(process);
  }
}

Conditions::Readings Conditions::memory_growth() const {
  Readings readings;
  for (const auto& [process, points] : memory_) {
    if (const auto slope = slope_per_hour(points)) readings.push_back({process, *slope});
  }
  return readings;
}

// Recent results of auralis-probe, by station.
Conditions::Readings Conditions::probes(const History& history) {
  const double now_s = static_cast<double>(history.unix_ns(history.newest())) / kNsPerSecond;
  Readings readings;
  for_each_gauge(history, kProbeLastRun, [&](const History::Series& run, double run_s) {
    if (now_s - run_s >= kProbeResultAgeS) return;
    for_each_gauge(history, kProbeSuccess, [&](const History::Series& series, double success) {
      if (same_labels(series.labels, run.labels)) readings.push_back({subject_of(series), success});
    });
  });
  return readings;
}

// What each rule compares with its threshold, for each station or process that can be measured now.
Conditions::Readings Conditions::readings_of(std::size_t rule, const History& history) const {
  const std::string_view name = kAlertRules.at(rule).name;
  Readings readings;
  const auto quantile = [&](std::string_view histogram, double q) {
    for_each_series(history, histogram, [&](const History::Series& series) {
      const auto counts = history.bucket_increases(series, 5 * kMinuteNs);
      if (const auto value = histogram_quantile(q, series.bounds, counts)) readings.push_back({"", *value});
    });
  };
  const auto gauges = [&](std::string_view gauge) {
    for_each_gauge(history, gauge, [&](const History::Series& series, double value) {
      readings.push_back({subject_of(series), value});
    });
  };
  if (name == "AudioBufferUnderrun") {
    for_each_series(history, "ring_buffer_underruns_total", [&](const History::Series& series) {
      const bool lately = history.increase(series, 2 * kMinuteNs) > 0;
      readings.push_back({subject_of(series), lately ? changes(history, series) : 0});
    });
  } else if (name == "SynthesisLatencyHigh") {
    quantile("audio_synthesis_latency_ms", 0.99);
  } else if (name == "NoActiveConnections") {
    for_each_gauge(history, "websocket_active_connections", [&](const History::Series&, double active) {
      const double attempts =
          increase(history, "websocket_connections_total", 5 * kMinuteNs) +
          increase(history, "websocket_connections_rejected_total", 5 * kMinuteNs, "limit");
      const bool served = active > 0 || increase(history, "websocket_chunks_sent_total", 5 * kMinuteNs) > 0;
      readings.push_back({"", served ? 0 : attempts});
    });
  } else if (name == "AuralisProcessDown") {
    gauges("auralis_up");
  } else if (name == "ChunkDeliveryLatencyHigh") {
    quantile("audio_chunk_delivery_latency_ms", 0.99);
  } else if (name == "AudioJitterHigh") {
    quantile("audio_chunk_jitter_ms", 0.95);
  } else if (name == "RingBufferDepthLow") {
    gauges("ring_buffer_depth_ms");
  } else if (name == "StationSilent") {
    gauges("auralis_audio_peak");
  } else if (name == "ProbeFailing") {
    readings = probes(history);
  } else if (name == "CPUUtilizationHigh") {
    for_each_gauge(history, "cpu_utilization_percent", [&](const History::Series& series, double value) {
      if (series.label("process").empty()) readings.push_back({"", value});
    });
  } else {
    readings = memory_growth();
  }
  return readings;
}

void Conditions::evaluate(std::size_t rule, const Readings& readings, const History& history) {
  const AlertRule& alert = kAlertRules.at(rule);
  const std::int64_t now_ns = history.time_ns(history.newest());
  std::map<std::string, std::int64_t> true_since_ns;
  Condition next;
  const Reading* worst = nullptr;
  for (const auto& reading : readings) {
    if (worst == nullptr || worse(alert, reading.measured, worst->measured)) worst = &reading;
    if (!holds(alert, reading.measured)) continue;
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
