// SPDX-License-Identifier: MIT
#include "metricsd/probe_page.h"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "common/base/utc_text.h"
#include "common/metrics/metric_names.h"
#include "common/metrics/metrics.h"

namespace auralis {
namespace {

struct Heard {
  bool right = false;
  std::optional<double> wrong;     // chunks
  std::optional<double> received;  // chunks
  std::optional<double> at_s;      // Unix time
};

// By station and format.
using Streams = std::map<std::pair<std::string, std::string>, Heard>;

void take(const SnapshotFamily& family, Streams& streams) {
  for (const auto& sample : family.samples) {
    const auto& labels = sample.spec.labels;
    Heard& heard =
        streams[{std::string(label_value(labels, "station")), std::string(label_value(labels, "format"))}];
    if (family.name == kProbeSuccess) heard.right = sample.value > 0;
    if (family.name == kProbeChunksWrong) heard.wrong = sample.value;
    if (family.name == kProbeChunksReceived) heard.received = sample.value;
    if (family.name == kProbeLastRun) heard.at_s = sample.value;
  }
}

std::string whole_number(double value) { return std::to_string(static_cast<std::int64_t>(value)); }

}  // namespace

std::string probe_page(const Snapshot& snapshot) {
  Streams streams;
  for (const auto& family : snapshot.families) {
    if (family.name.rfind(kProbePrefix, 0) == 0) take(family, streams);
  }
  if (streams.empty())
    return "auralis-probe has published no result: enable auralis-probe.timer, or run auralis-probe "
           "--publish\n";
  std::string text;
  for (const auto& [stream, heard] : streams) {
    text.append(stream.first)
        .append(" in ")
        .append(stream.second)
        .append(heard.right ? ": right" : ": WRONG");
    if (heard.received) text.append(", ").append(whole_number(*heard.received)).append(" chunks received");
    if (heard.wrong) text.append(", ").append(whole_number(*heard.wrong)).append(" wrong or missing");
    if (heard.at_s) text.append("; listened ").append(utc_text(static_cast<std::int64_t>(*heard.at_s)));
    text.append("\n");
  }
  return text;
}

}  // namespace auralis
