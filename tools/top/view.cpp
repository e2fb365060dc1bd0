// SPDX-License-Identifier: MIT
#include "tools/top/view.h"

#include <algorithm>

#include "common/metrics/metric_names.h"

namespace auralis {
namespace {

const SnapshotFamily* family_of(const Snapshot& snapshot, std::string_view name) {
  const auto found = std::find_if(snapshot.families.begin(), snapshot.families.end(),
                                  [&](const SnapshotFamily& family) { return family.name == name; });
  return found == snapshot.families.end() ? nullptr : &*found;
}

// The value of the series with that process as its label; of the one without, if `process` is empty.
std::optional<double> value_of(const Snapshot& snapshot, std::string_view name,
                               std::string_view process = {}) {
  const SnapshotFamily* const family = family_of(snapshot, name);
  if (family == nullptr) return std::nullopt;
  for (const auto& sample : family->samples) {
    if (label_value(sample.spec.labels, "process") == process) return sample.value;
  }
  return std::nullopt;
}

StationView& station_named(std::vector<StationView>& stations, std::string_view name) {
  const auto found = std::find_if(stations.begin(), stations.end(),
                                  [&](const StationView& station) { return station.name == name; });
  if (found != stations.end()) return *found;
  stations.emplace_back();
  stations.back().name = name;
  return stations.back();
}

void add_gauge(std::vector<StationView>& stations, const Snapshot& snapshot, std::string_view name,
               std::optional<double> StationView::*member) {
  const SnapshotFamily* const family = family_of(snapshot, name);
  if (family == nullptr) return;
  for (const auto& sample : family->samples)
    station_named(stations, label_value(sample.spec.labels, "station")).*member = sample.value;
}

// A metric of the audio as it is sent; of a station that has no listeners, as it is published.
void add_audio(std::vector<StationView>& stations, const Snapshot& snapshot, std::string_view name,
               std::optional<double> StationView::*member) {
  const SnapshotFamily* const family = family_of(snapshot, name);
  if (family == nullptr) return;
  for (const auto& sample : family->samples) {
    auto& value = station_named(stations, label_value(sample.spec.labels, "station")).*member;
    if (!value || label_value(sample.spec.labels, "at") == "sent") value = sample.value;
  }
}

void add_increase(std::vector<StationView>& stations, const History& history, std::string_view name,
                  std::int64_t span_ns, double StationView::*member) {
  for (const auto& series : history.series()) {
    if (series.name == name)
      station_named(stations, series.label("station")).*member += history.increase(series, span_ns);
  }
}

// Stations that play now.
std::vector<StationView> stations_of(const Snapshot& snapshot, const History& history, std::int64_t span_ns) {
  std::vector<StationView> stations;
  add_gauge(stations, snapshot, kRingDepth, &StationView::depth_ms);
  add_gauge(stations, snapshot, "ring_buffer_utilization_percent", &StationView::utilization_percent);
  add_gauge(stations, snapshot, "auralis_chunks_published_total", &StationView::chunks);
  add_audio(stations, snapshot, "auralis_audio_peak", &StationView::peak);
  add_audio(stations, snapshot, "auralis_audio_loudness_lufs", &StationView::loudness_lufs);
  add_increase(stations, history, "ring_buffer_underruns_total", span_ns, &StationView::underruns);
  stations.erase(std::remove_if(stations.begin(), stations.end(),
                                [](const StationView& station) { return !station.depth_ms; }),
                 stations.end());
  return stations;
}

std::map<std::string, double> listeners_by_format(const Snapshot& snapshot) {
  std::map<std::string, double> listeners;
  const SnapshotFamily* const family = family_of(snapshot, "auralis_listeners");
  if (family == nullptr) return listeners;
  for (const auto& sample : family->samples)
    listeners[std::string(label_value(sample.spec.labels, "format"))] += sample.value;
  return listeners;
}

LatencyView latency_of(const History& history, std::string_view name, std::string_view metric,
                       std::int64_t span_ns) {
  LatencyView view{name, {}, {}, {}};
  for (const auto& series : history.series()) {
    if (series.name != metric) continue;
    const auto counts = history.bucket_increases(series, span_ns);
    view.p50 = histogram_quantile(0.5, series.bounds, counts);
    view.p95 = histogram_quantile(0.95, series.bounds, counts);
    view.p99 = histogram_quantile(0.99, series.bounds, counts);
  }
  return view;
}

std::vector<DropView> drops_of(const History& history, std::int64_t span_ns, double window_s) {
  std::vector<DropView> drops;
  for (const auto& series : history.series()) {
    if (series.name != kChunksDropped || !(window_s > 0)) continue;
    drops.push_back({std::string(series.label("reason")), history.increase(series, span_ns) / window_s});
  }
  return drops;
}

// Of the window, as far as the history reaches back.
double window_seconds(const History& history, std::int64_t span_ns) {
  const std::int64_t kept_ns = history.time_ns(history.newest()) - history.time_ns(history.oldest());
  return static_cast<double>(std::min(span_ns, kept_ns)) / static_cast<double>(kNsPerSecond);
}

// Urgent conditions count from the moment that they hold. The others do not count: listeners do not notice
// them, and a second of a busy machine is not the ten minutes that its rule asks for. metricsd is not
// counted: audio does not need it, and it may be out of sight.
Health health_of(const View& view) {
  const bool all_up = std::all_of(view.daemons.begin(), view.daemons.end(), [](const DaemonView& daemon) {
    return daemon.daemon == Daemon::kMetricsd || daemon.status == DaemonStatus::kUp;
  });
  if (!all_up) return Health::kDown;
  for (std::size_t i = 0; i < kAlertRules.size(); ++i) {
    if (view.conditions.at(i).state != AlertState::kInactive && is_urgent(kAlertRules.at(i)))
      return Health::kDegraded;
  }
  return Health::kHealthy;
}

}  // namespace

View view_of(std::vector<DaemonView> daemons, const Snapshot& snapshot, const History& history,
             const Conditions& conditions, std::int64_t span_ns) {
  View view;
  view.unix_ns = snapshot.unix_ns;
  view.window_s = window_seconds(history, span_ns);
  view.daemons = std::move(daemons);
  for (DaemonView& daemon : view.daemons) {
    const std::string_view process = daemon_name(daemon.daemon);
    daemon.heartbeat_age_s = value_of(snapshot, "auralis_heartbeat_age_seconds", process);
    daemon.cpu_percent = value_of(snapshot, "cpu_utilization_percent", process);
    daemon.memory_mb = value_of(snapshot, "memory_usage_mb", process);
  }
  view.listeners = value_of(snapshot, "websocket_active_connections");
  view.listeners_behind = value_of(snapshot, "auralis_listeners_behind");
  view.listeners_by_format = listeners_by_format(snapshot);
  view.realtime_factor = value_of(snapshot, "auralis_realtime_factor");
  view.success_percent = value_of(snapshot, "websocket_chunk_delivery_success_rate");
  view.bandwidth_mbps = value_of(snapshot, "network_bandwidth_mbps");
  view.machine_cpu_percent = value_of(snapshot, "cpu_utilization_percent");
  view.stations = stations_of(snapshot, history, span_ns);
  view.latencies = {latency_of(history, "synthesis", "audio_synthesis_latency_ms", span_ns),
                    latency_of(history, "delivery", "audio_chunk_delivery_latency_ms", span_ns),
                    latency_of(history, "jitter", "audio_chunk_jitter_ms", span_ns)};
  view.drops = drops_of(history, span_ns, view.window_s);
  for (const auto& series : history.series()) {
    if (series.name == "ring_buffer_overruns_total") view.overruns += history.increase(series, span_ns);
  }
  view.conditions = conditions.now();
  view.health = health_of(view);
  return view;
}

}  // namespace auralis
