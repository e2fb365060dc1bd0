// SPDX-License-Identifier: MIT
#include "metricsd/alert_measures.h"

#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "common/metrics/station_labels.h"

namespace auralis::measures {
namespace {

using Series = History::Series;

// Of monitoring/prometheus/prometheus.yml: what its rules see as one change.
constexpr std::int64_t kScrapeNs = 5 * kNsPerSecond;
constexpr std::string_view kAccepted = "websocket_connections_total";
constexpr std::string_view kRejected = "websocket_connections_rejected_total";
constexpr std::string_view kHandover = "auralis_chunk_handover_latency_ms";

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

// How many scrapes of the last five minutes would have found that the counter rose.
double changes(const History& history, const Series& series) {
  std::set<std::int64_t> scrapes;
  for (std::uint64_t point = history.newest(); point >= history.oldest(); --point) {
    if (history.time_ns(point) <= history.time_ns(history.newest()) - 5 * kMinuteNs) break;
    if (history.value(series, point) > 0) scrapes.insert(history.time_ns(point) / kScrapeNs);
  }
  return static_cast<double>(scrapes.size());
}

// Whether it is the service's fault, as the rules say: a quantile of its own hand-over is above the
// threshold, or more than one listener in twenty is behind.
bool is_ours(const AlertInput& input, double q) {
  constexpr double kMostBehind = 0.05;
  const History& history = input.history;
  double behind = 0;
  double active = 0;
  for_each_series(history, kBehind,
                  [&](const Series& series) { behind += history.mean(series, 5 * kMinuteNs).value_or(0); });
  for_each_series(history, kActive,
                  [&](const Series& series) { active += history.mean(series, 5 * kMinuteNs).value_or(0); });
  return quantile(history, kHandover, q, 5 * kMinuteNs).value_or(0) > input.threshold ||
         behind > kMostBehind * active;
}

// A quantile of what listeners got; it counts if it is the service's fault, and now, as the rule says.
AlertReadings degraded(const AlertInput& input, std::string_view name, double q) {
  constexpr double kFewest = 500;
  const History& history = input.history;
  const auto value = quantile(history, name, q, 5 * kMinuteNs);
  if (!value) return {};
  const bool now = quantile(history, name, q, kMinuteNs).value_or(0) > input.threshold;
  const bool enough = share_above(history, name, 0, 5 * kMinuteNs).all >= kFewest;
  return {{"", *value, is_ours(input, q) && now && enough}};
}

// A quantile over five minutes; it counts if that is of `fewest` observations or more.
AlertReadings frequent(const History& history, std::string_view name, double q, double fewest) {
  const auto value = quantile(history, name, q, 5 * kMinuteNs);
  if (!value) return {};
  return {{"", *value, share_above(history, name, 0, 5 * kMinuteNs).all >= fewest}};
}

// Of two gauges without further labels; nothing if one is absent, or there is nothing to divide by.
AlertReadings ratio(const History& history, std::string_view part, std::string_view whole) {
  const auto a = gauge(history, part);
  const auto b = gauge(history, whole);
  if (!a || !b || !(*b > 0)) return {};
  return {{"", *a / *b}};
}

}  // namespace

AlertReadings dead_air(const AlertInput& input) {
  const History& history = input.history;
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

AlertReadings underruns(const AlertInput& input) {
  const History& history = input.history;
  AlertReadings readings;
  for_each_series(history, "ring_buffer_underruns_total", [&](const Series& series) {
    constexpr std::int64_t kLatelyNs = 90 * kNsPerSecond;
    const double lately = history.increase(series, kLatelyNs);
    const double before = history.increase(series, kLatelyNs + 4 * kMinuteNs) - lately;
    readings.push_back({subject_of(series), lately > 0 && before > 0 ? changes(history, series) : 0});
  });
  return readings;
}

AlertReadings synthesis(const AlertInput& input) {
  const History& history = input.history;
  const auto value = quantile(history, "audio_synthesis_latency_ms", 0.99, 5 * kMinuteNs);
  return value ? AlertReadings{{"", *value}} : AlertReadings{};
}

AlertReadings refused(const AlertInput& input) {
  const History& history = input.history;
  constexpr double kFewest = 10;
  const double rejected = increase_of(history, kRejected, 2 * kMinuteNs);
  const double accepted = increase_of(history, kAccepted, 2 * kMinuteNs);
  if (!(rejected + accepted > 0)) return {};
  return {{"", 100 * rejected / (rejected + accepted), rejected >= kFewest}};
}

AlertReadings unserved(const AlertInput& input) {
  const History& history = input.history;
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

AlertReadings delivery(const AlertInput& input) {
  return degraded(input, "audio_chunk_delivery_latency_ms", 0.99);
}

AlertReadings jitter(const AlertInput& input) { return degraded(input, "audio_chunk_jitter_ms", 0.95); }

AlertReadings end_to_end(const AlertInput& input) {
  return frequent(input.history, "audio_end_to_end_latency_ms", 0.95, 100);
}

AlertReadings startup(const AlertInput& input) {
  return frequent(input.history, "audio_startup_latency_ms", 0.95, 20);
}

AlertReadings cpu(const AlertInput& input) {
  const History& history = input.history;
  AlertReadings readings;
  for_each_gauge(history, "cpu_utilization_percent", [&](const Series& series, double value) {
    if (series.label("process").empty()) readings.push_back({"", value});
  });
  return readings;
}

AlertReadings variance(const AlertInput& input) {
  AlertReadings readings;
  for_each_gauge(input.history, kVariance, [&](const Series&, double ms) {
    readings.push_back({"", ms, is_ours(input, 0.99)});
  });
  return readings;
}

AlertReadings low_utilization(const AlertInput& input) {
  constexpr double kLeastDepthMs = 500;
  constexpr double kMostDepthMs = 1'000;
  std::set<std::string> as_they_should_be;  // stations
  for_each_gauge(input.history, kDepth, [&](const Series& series, double ms) {
    if (kLeastDepthMs <= ms && ms <= kMostDepthMs) as_they_should_be.insert(subject_of(series));
  });
  AlertReadings readings;
  for_each_gauge(input.history, kUtilization, [&](const Series& series, double percent) {
    const std::string station = subject_of(series);
    readings.push_back({station, percent, as_they_should_be.count(station) == 0});
  });
  return readings;
}

AlertReadings memory_growth(const AlertInput& input) {
  AlertReadings readings;
  for (const auto& [process, growth] : input.memory.growth())
    readings.push_back({process, growth.percent_an_hour, growth.whole});
  return readings;
}

AlertReadings own_memory(const AlertInput& input) {
  AlertReadings readings;
  for_each_gauge(input.history, "auralis_memory_mb", [&](const Series& series, double mb) {
    if (series.label("kind") == "anon") readings.push_back({std::string(series.label("process")), mb});
  });
  return readings;
}

AlertReadings gpu_memory(const AlertInput& input) {
  AlertReadings readings = ratio(input.history, kGpuMemory, "auralis_gpu_memory_total_mb");
  for (auto& reading : readings) reading.measured *= 100;
  return readings;
}

AlertReadings bandwidth(const AlertInput& input) {
  return ratio(input.history, "network_bandwidth_mbps", kActive);
}

AlertReadings player_silence(const AlertInput& input) {
  const History& history = input.history;
  constexpr double kLeastMs = 600'000;  // one listener all the time
  const double listened_ms = increase_of(history, "auralis_player_listened_ms_total", 10 * kMinuteNs);
  if (!(listened_ms > 0)) return {};
  const double silence_ms = increase_of(history, "auralis_player_silence_ms_total", 10 * kMinuteNs);
  return {{"", 100 * silence_ms / listened_ms, listened_ms >= kLeastMs}};
}

AlertReadings least_behind(const AlertInput& input) {
  const History& history = input.history;
  AlertReadings readings;
  for_each_gauge(history, kBehind, [&](const Series& series, double now) {
    const auto least = history.least(series, 10 * kMinuteNs);
    readings.push_back({"", least.value_or(now)});
  });
  return readings;
}

}  // namespace auralis::measures
