// SPDX-License-Identifier: MIT
#include "metricsd/alert_rules.h"

#include <numeric>
#include <optional>
#include <set>

#include "common/metrics/metric_names.h"
#include "common/metrics/station_labels.h"
#include "metricsd/history_queries.h"

namespace auralis {
namespace {

using Series = History::Series;

constexpr std::int64_t kMinuteNs = 60 * kNsPerSecond;
constexpr std::int64_t kHourNs = 60 * kMinuteNs;
// Of monitoring/prometheus/prometheus.yml: what its rules see as one change.
constexpr std::int64_t kScrapeNs = 5 * kNsPerSecond;
constexpr std::int64_t kMostOfHourNs = 55 * kMinuteNs;
// Of the memory of an hour: Prometheus' own default interval, dense enough for a slope.
constexpr std::int64_t kMemoryPeriodNs = 15 * kNsPerSecond;
// An older result of auralis-probe tells nothing about now; it is still shown. As the rule has it, to within
// a minute: the history's numbers are no more precise.
constexpr double kProbeResultAgeS = 900;

constexpr std::string_view kActive = "websocket_active_connections";
constexpr std::string_view kAccepted = "websocket_connections_total";
constexpr std::string_view kRejected = "websocket_connections_rejected_total";
constexpr std::string_view kHandover = "auralis_chunk_handover_latency_ms";

// The label by which the series of a rule differ.
std::string subject_of(const Series& series) {
  return series.labels.empty() ? std::string() : series.labels.front().value;
}

AlertReadings gauges(const History& history, std::string_view name) {
  AlertReadings readings;
  for_each_gauge(history, name, [&](const Series& series, double value) {
    readings.push_back({subject_of(series), value});
  });
  return readings;
}

// The gauge without further labels; nothing if it is absent.
std::optional<double> gauge(const History& history, std::string_view name) {
  std::optional<double> found;
  for_each_gauge(history, name, [&](const Series&, double value) { found = value; });
  return found;
}

// The quantile of what a histogram counted in that span; nothing if that is nothing.
std::optional<double> quantile(const History& history, std::string_view name, double q,
                               std::int64_t span_ns) {
  std::optional<double> found;
  for_each_series(history, name, [&](const Series& series) {
    found = histogram_quantile(q, series.bounds, history.bucket_increases(series, span_ns));
  });
  return found;
}

// How much was counted in that span, and how much of it above `bound`, one of the histogram's.
struct Share {
  double all = 0;
  double above = 0;
};
Share share_above(const History& history, std::string_view name, double bound, std::int64_t span_ns) {
  Share share;
  for_each_series(history, name, [&](const Series& series) {
    const auto counts = history.bucket_increases(series, span_ns);
    share.all += std::accumulate(counts.begin(), counts.end(), 0.0);
    for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
      if (bucket == series.bounds.size() || series.bounds[bucket] > bound) share.above += counts[bucket];
    }
  });
  return share;
}

// Seconds of the last minute, of each configured station; of the service, for each listener; and how long
// streamd has stood still, with listeners.
AlertReadings dead_air(const History& history) {
  std::map<std::string, double> silent;
  for_each_series(history, "auralis_audio_silence_seconds_total", [&](const Series& series) {
    const std::string station(series.label("station"));
    if (station == kPersonalLabel || series.label("at") != "sent" || series.label("cause") == "muted") return;
    silent[station] += history.increase(series, kMinuteNs);
  });
  AlertReadings readings;
  for (const auto& [station, seconds] : silent) readings.push_back({station, seconds});
  const double due = increase_of(history, kChunksDue, kMinuteNs);
  if (due > 0) {
    const double lost = increase_of(history, kChunksDropped, kMinuteNs,
                                    [](const Series& series) { return series.label("reason") == "overrun"; });
    const double late = share_above(history, kHandover, 1'000, kMinuteNs).above;
    readings.push_back({"", 60 * (lost + late) / due});
  }
  if (gauge(history, kActive).value_or(0) > 0) {
    for_each_gauge(history, "auralis_heartbeat_age_seconds", [&](const Series& series, double age_s) {
      if (series.label("process") == "streamd") readings.push_back({"streamd", age_s});
    });
  }
  return readings;
}

// How many scrapes of the last five minutes would have found that the counter rose.
double changes(const History& history, const Series& series) {
  std::set<std::int64_t> scrapes;
  for (std::uint64_t point = history.newest(); point >= history.oldest(); --point) {
    if (history.time_ns(point) <= history.time_ns(history.newest()) - 5 * kMinuteNs) break;
    if (history.value(series, point) > 0) scrapes.insert(history.time_ns(point) / kScrapeNs);
  }
  return static_cast<double>(scrapes.size());
}

AlertReadings underruns(const History& history) {
  AlertReadings readings;
  for_each_series(history, "ring_buffer_underruns_total", [&](const Series& series) {
    constexpr std::int64_t kLatelyNs = 90 * kNsPerSecond;
    const double lately = history.increase(series, kLatelyNs);
    const double before = history.increase(series, kLatelyNs + 4 * kMinuteNs) - lately;
    readings.push_back({subject_of(series), lately > 0 && before > 0 ? changes(history, series) : 0});
  });
  return readings;
}

AlertReadings synthesis(const History& history) {
  const auto value = quantile(history, "audio_synthesis_latency_ms", 0.99, 5 * kMinuteNs);
  return value ? AlertReadings{{"", *value}} : AlertReadings{};
}

AlertReadings refused(const History& history) {
  constexpr double kFewest = 10;
  const double rejected = increase_of(history, kRejected, 2 * kMinuteNs);
  const double accepted = increase_of(history, kAccepted, 2 * kMinuteNs);
  if (!(rejected + accepted > 0)) return {};
  return {{"", 100 * rejected / (rejected + accepted), rejected >= kFewest}};
}

AlertReadings unserved(const History& history) {
  const auto active = gauge(history, kActive);
  if (!active) return {};
  const auto is_listener = [](const Series& series) {
    return series.label("reason") != "path" && series.label("reason") != "protocol";
  };
  const double attempts = increase_of(history, kAccepted, 5 * kMinuteNs) +
                          increase_of(history, kRejected, 5 * kMinuteNs, is_listener);
  const bool served = *active > 0 || increase_of(history, "websocket_chunks_sent_total", 5 * kMinuteNs) > 0;
  return {{"", served ? 0 : attempts}};
}

AlertReadings starts(const History& history) {
  AlertReadings readings;
  for_each_series(history, "auralis_daemon_starts_total", [&](const Series& series) {
    readings.push_back({subject_of(series), history.increase(series, 10 * kMinuteNs)});
  });
  return readings;
}

// A quantile of what listeners got; it counts if it is the service's fault, and now, as the rule says.
AlertReadings degraded(const History& history, const AlertRule& rule, std::string_view name, double q) {
  constexpr double kFewest = 500;
  constexpr double kMostBehind = 0.05;
  const auto value = quantile(history, name, q, 5 * kMinuteNs);
  if (!value) return {};
  double behind = 0;
  double active = 0;
  for_each_series(history, "auralis_listeners_behind",
                  [&](const Series& series) { behind += history.mean(series, 5 * kMinuteNs).value_or(0); });
  for_each_series(history, kActive,
                  [&](const Series& series) { active += history.mean(series, 5 * kMinuteNs).value_or(0); });
  const bool ours = quantile(history, kHandover, q, 5 * kMinuteNs).value_or(0) > rule.threshold ||
                    behind > kMostBehind * active;
  const bool now = quantile(history, name, q, kMinuteNs).value_or(0) > rule.threshold;
  const bool enough = share_above(history, name, 0, 5 * kMinuteNs).all >= kFewest;
  return {{"", *value, ours && now && enough}};
}

AlertReadings delivery(const History& history) {
  constexpr const AlertRule& kRule = kAlertRules[alert_index("ChunkDeliveryLatencyHigh")];
  return degraded(history, kRule, "audio_chunk_delivery_latency_ms", 0.99);
}

AlertReadings jitter(const History& history) {
  constexpr const AlertRule& kRule = kAlertRules[alert_index("AudioJitterHigh")];
  return degraded(history, kRule, "audio_chunk_jitter_ms", 0.95);
}

// Recent results of auralis-probe, by station.
AlertReadings probes(const History& history) {
  const double now_s = static_cast<double>(history.unix_ns(history.newest())) / kNsPerSecond;
  AlertReadings readings;
  for_each_gauge(history, kProbeLastRun, [&](const Series& run, double run_s) {
    if (now_s - run_s >= kProbeResultAgeS) return;
    for_each_gauge(history, kProbeSuccess, [&](const Series& series, double success) {
      if (same_labels(series.labels, run.labels)) readings.push_back({subject_of(series), success});
    });
  });
  return readings;
}

AlertReadings cpu(const History& history) {
  AlertReadings readings;
  for_each_gauge(history, "cpu_utilization_percent", [&](const Series& series, double value) {
    if (series.label("process").empty()) readings.push_back({"", value});
  });
  return readings;
}

using Measure = AlertReadings (*)(const History&);

// In the order of kAlertRules.
constexpr std::array<Measure, kAlertRules.size()> kMeasures{
    dead_air,
    [](const History& history) { return gauges(history, "auralis_audio_loudness_lufs"); },
    underruns,
    synthesis,
    refused,
    unserved,
    [](const History& history) { return gauges(history, "auralis_up"); },
    starts,
    [](const History& history) { return gauges(history, "websocket_chunk_delivery_success_rate"); },
    delivery,
    jitter,
    [](const History& history) { return gauges(history, "ring_buffer_depth_ms"); },
    probes,
    cpu,
    [](const History&) { return AlertReadings{}; },
};

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

}  // namespace

AlertReadings alert_readings(std::size_t rule, const History& history) { return kMeasures.at(rule)(history); }

void MemoryGrowth::note(const History& history) {
  const std::int64_t now_ns = history.time_ns(history.newest());
  for_each_gauge(history, "auralis_memory_mb", [&](const Series& series, double mb) {
    if (series.label("kind") != "anon") return;
    auto& points = points_[subject_of(series)];
    if (points.empty() || now_ns - points.back().now_ns >= kMemoryPeriodNs) points.push_back({now_ns, mb});
  });
  for (auto process = points_.begin(); process != points_.end();) {
    auto& points = process->second;
    while (!points.empty() && points.front().now_ns <= now_ns - kHourNs) points.pop_front();
    process = points.empty() ? points_.erase(process) : std::next(process);
  }
}

// The slope of a few minutes after a start, which is that of the start, does not count.
AlertReadings MemoryGrowth::readings() const {
  AlertReadings readings;
  for (const auto& [process, points] : points_) {
    const auto slope = slope_per_hour(points);
    if (!slope) continue;
    readings.push_back({process, *slope, points.back().now_ns - points.front().now_ns >= kMostOfHourNs});
  }
  return readings;
}

}  // namespace auralis
