// SPDX-License-Identifier: MIT
#include "metricsd/snapshot_json.h"

#include <nlohmann/json.hpp>

namespace auralis {
namespace {

using Json = nlohmann::ordered_json;

// Rises if a member changes its meaning or goes; new ones may come without.
constexpr int kMessageSchema = 1;

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

// The members that begin each message.
Json begun(const Run& run) {
  return {{"schema", kMessageSchema}, {"run", {{"id", run.id}, {"start", run.start}}}};
}

Json message_of(const LoggedEvent& event, const Run& run) {
  Json json = begun(run);
  json["seq"] = event.seq;
  json["time"] = seconds(event.end_unix_ns);
  json["begin"] = seconds(event.begin_unix_ns);
  json["id"] = event.id;
  json["process"] = daemon_name(event.process);
  json["event"] = event_kind_name(event.kind);
  json["subject"] = event.subject;
  json["count"] = static_cast<std::uint64_t>(event.rise);
  json["total"] = static_cast<std::uint64_t>(event.count);
  json["message"] = event.message;
  return json;
}

}  // namespace

std::string snapshot_json(const Snapshot& snapshot, const Run& run, std::uint64_t seq) {
  Json metrics = Json::array();
  for (const auto& family : snapshot.families) {
    for (const auto& sample : family.samples) metrics.push_back(series_json(family, sample));
  }
  Json json = begun(run);
  json["seq"] = seq;
  json["time"] = seconds(snapshot.unix_ns);
  json["metrics"] = std::move(metrics);
  return text_of(json);
}

std::string event_json(const LoggedEvent& event, const Run& run) { return text_of(message_of(event, run)); }

std::string history_json(const std::vector<LoggedEvent>& events, const Run& run, std::int64_t unix_ns) {
  Json json = begun(run);
  json["time"] = seconds(unix_ns);
  json["events"] = Json::array();
  for (const auto& event : events) json["events"].push_back(message_of(event, run));
  return text_of(json);
}

}  // namespace auralis
