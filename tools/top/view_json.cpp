// SPDX-License-Identifier: MIT
#include "tools/top/view_json.h"

#include <nlohmann/json.hpp>

#include "metricsd/snapshot_json.h"
#include "tools/top/page.h"

namespace auralis {
namespace {

using Json = nlohmann::ordered_json;

void add(Json& json, const char* name, const std::optional<double>& value) {
  if (value) json[name] = *value;
}

Json daemon_json(const DaemonView& daemon) {
  Json json{{"name", daemon_name(daemon.daemon)}, {"status", status_name(daemon.status)}};
  if (!daemon.problem.empty()) json["problem"] = daemon.problem;
  add(json, "heartbeat_age_s", daemon.heartbeat_age_s);
  add(json, "cpu_percent", daemon.cpu_percent);
  add(json, "memory_mb", daemon.memory_mb);
  return json;
}

Json station_json(const StationView& station) {
  Json json{{"name", station.name}};
  add(json, "depth_ms", station.depth_ms);
  add(json, "utilization_percent", station.utilization_percent);
  add(json, "chunks", station.chunks);
  add(json, "peak", station.peak);
  add(json, "loudness_lufs", station.loudness_lufs);
  json["underruns"] = station.underruns;
  return json;
}

Json latency_json(const LatencyView& latency) {
  Json json = Json::object();
  add(json, "p50", latency.p50);
  add(json, "p95", latency.p95);
  add(json, "p99", latency.p99);
  return json;
}

Json condition_json(const AlertRule& rule, const Condition& condition) {
  Json json{{"name", rule.name}, {"severity", rule.severity}, {"state", state_name(condition.state)}};
  if (!condition.subject.empty()) json["subject"] = condition.subject;
  add(json, "measured", condition.measured);
  json["comparison"] = rule.comparison;
  json["threshold"] = rule.threshold;
  return json;
}

}  // namespace

std::string view_json(const View& view, const Snapshot& snapshot) {
  Json json{{"time", static_cast<double>(view.unix_ns) / 1e9},
            {"window_s", view.window_s},
            {"health", health_name(view.health)}};
  for (const DaemonView& daemon : view.daemons) json["daemons"].push_back(daemon_json(daemon));
  add(json, "listeners", view.listeners);
  add(json, "listeners_behind", view.listeners_behind);
  json["listeners_by_format"] = view.listeners_by_format;
  add(json, "realtime_factor", view.realtime_factor);
  add(json, "success_percent", view.success_percent);
  add(json, "bandwidth_mbps", view.bandwidth_mbps);
  add(json, "machine_cpu_percent", view.machine_cpu_percent);
  json["stations"] = Json::array();
  for (const StationView& station : view.stations) json["stations"].push_back(station_json(station));
  for (const LatencyView& latency : view.latencies)
    json["latency_ms"][std::string(latency.name)] = latency_json(latency);
  json["drops_per_s"] = Json::object();
  for (const DropView& drop : view.drops) json["drops_per_s"][drop.reason] = drop.per_s;
  json["overruns"] = view.overruns;
  for (std::size_t i = 0; i < kAlertRules.size(); ++i)
    json["conditions"].push_back(condition_json(kAlertRules.at(i), view.conditions.at(i)));
  json["metrics"] = Json::parse(snapshot_json(snapshot, {}, 0)).at("metrics");
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace auralis
