// SPDX-License-Identifier: MIT
#include "metricsd/snapshot_json.h"

#include <nlohmann/json.hpp>

namespace auralis {
namespace {

using Json = nlohmann::ordered_json;

const char* type_name(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "untyped";
}

void add_histogram(Json& json, const MetricSample& sample) {
  const std::vector<double> counts = cumulative_buckets(sample);
  Json buckets = Json::array();
  for (std::size_t bound = 0; bound < sample.spec.bounds.size(); ++bound) {
    buckets.push_back({sample.spec.bounds[bound], counts[bound]});
  }
  buckets.push_back({"+Inf", counts.back()});
  json["count"] = counts.back();
  json["sum"] = sample.sum;
  json["buckets"] = std::move(buckets);
}

Json series_json(const SnapshotFamily& family, const MetricSample& sample) {
  Json json{{"name", family.name}, {"type", type_name(family.type)}, {"help", family.help}};
  Json labels = Json::object();
  for (const auto& label : sample.spec.labels) labels[label.name] = label.value;
  json["labels"] = std::move(labels);
  if (family.type == MetricType::kHistogram) {
    add_histogram(json, sample);
  } else {
    json["value"] = sample.value;
  }
  return json;
}

double seconds(std::int64_t ns) { return static_cast<double>(ns) / static_cast<double>(kNsPerSecond); }

// Text from another process need not be UTF-8.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string snapshot_json(const Snapshot& snapshot, std::uint64_t seq) {
  Json metrics = Json::array();
  for (const auto& family : snapshot.families) {
    for (const auto& sample : family.samples) metrics.push_back(series_json(family, sample));
  }
  return text_of({{"seq", seq}, {"time", seconds(snapshot.unix_ns)}, {"metrics", std::move(metrics)}});
}

std::string event_json(const DaemonEvent& event, std::int64_t unix_ns, std::uint64_t seq) {
  return text_of({{"seq", seq},
                  {"time", seconds(unix_ns)},
                  {"process", daemon_name(event.daemon)},
                  {"event", event.up ? "up" : "down"},
                  {"message", event.message}});
}

}  // namespace auralis
