// SPDX-License-Identifier: MIT
// Generates docs/metrics.md from the daemons' metric declarations. Header only, so that a test can compare
// the page with the file. Pure functions; any thread.
#pragma once

#include <algorithm>
#include <cctype>
#include <iterator>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "common/metrics/metrics.h"
#include "metricsd/own_metrics.h"
#include "streamd/stream_metrics.h"
#include "synthd/synth_metrics.h"
#include "tools/metrics_guidance.h"
#include "tools/probe_metrics.h"

namespace auralis {

inline std::string_view type_text(const MetricSpec& spec) {
  if (spec.type == MetricType::kCounter) return spec.sparse ? "counter, absent at 0" : "counter";
  return spec.type == MetricType::kGauge ? "gauge" : "histogram";
}

// Returns the labels of one series as name="value"; the name alone if the values come from the configuration
// or from a late label.
inline std::string labels_text(const std::vector<MetricLabel>& labels) {
  std::string text;
  for (const auto& label : labels) {
    text += text.empty() ? "" : ", ";
    text += label.late_index || label.name == "station" ? "`" + label.name + "`"
                                                        : "`" + label.name + "=\"" + label.value + "\"`";
  }
  return text.empty() ? "none" : text;
}

inline std::string bounds_text(const std::vector<double>& bounds) {
  std::ostringstream text;
  for (std::size_t bound = 0; bound < bounds.size(); ++bound)
    text << (bound == 0 ? "" : ", ") << bounds[bound];
  return text.str();
}

// Returns the labels of all series of one name, without duplicates.
inline std::string labels_text(const std::vector<MetricSpec>& specs, std::string_view name) {
  std::vector<std::string> texts;
  for (const auto& spec : specs) {
    if (spec.name != name) continue;
    std::string text = labels_text(spec.labels);
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

// Returns the guidance for the metric `name`; empty texts if there is none.
inline MetricGuidance guidance_for(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kMetricsGuidance), std::end(kMetricsGuidance),
                   [&](const MetricGuidance& guidance) { return guidance.name == name; });
  return found == std::end(kMetricsGuidance) ? MetricGuidance{} : *found;
}

// Returns the threshold, followed by a link to its alert's runbook.
inline std::string threshold_text(const MetricGuidance& guidance) {
  std::string text(guidance.threshold);
  if (guidance.alert.empty()) return text;
  std::string anchor(guidance.alert);
  std::transform(anchor.begin(), anchor.end(), anchor.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text + ": [" + std::string(guidance.alert) + "](runbooks.md#" + anchor + ")";
}

// Writes one daemon's table, in the order of the declarations; series of one name, which differ in their
// labels, share a row.
inline void write_metrics_table(std::ostream& out, std::string_view daemon,
                                const std::vector<MetricSpec>& specs) {
  out << "\n## " << daemon
      << "\n| metric | type | labels | meaning | bucket bounds | target | threshold | action | test |\n"
         "|---|---|---|---|---|---|---|---|---|\n";
  for (auto spec = specs.begin(); spec != specs.end(); ++spec) {
    const auto same_name = [&](const MetricSpec& other) { return other.name == spec->name; };
    if (std::any_of(specs.begin(), spec, same_name)) continue;  // shares the row of the first
    out << "| `" << spec->name << "` | " << type_text(*spec) << " | " << labels_text(specs, spec->name)
        << " | " << spec->help << " | " << bounds_text(spec->bounds) << " | ";
    const MetricGuidance guidance = guidance_for(spec->name);
    out << guidance.target << " | " << threshold_text(guidance) << " | " << guidance.action << " | "
        << (guidance.test.empty() ? "" : "`tests/" + std::string(guidance.test) + "`") << " |\n";
  }
}

// Returns the whole page.
inline std::string metrics_page() {
  std::ostringstream out;
  out << "# Metrics\n\n"
         "<!-- Made by `metrics-doc` from the declarations in synthd/synth_metrics.h, "
         "streamd/stream_metrics.h,\n"
         "metricsd/own_metrics.h and tools/probe_metrics.h: change those, then run `metrics-doc > "
         "docs/metrics.md`. A test compares. -->\n\n"
         "All metrics of all daemons, as metricsd serves them at `/metrics` (port 9464) and publishes them "
         "through ZeroMQ each second. A metric belongs to the daemon that declares it.\n\n"
         "- A metric is a number or absent, never NaN: it is absent while its value is unavailable. If a "
         "daemon is down, its `auralis_up` is 0 and all its metrics are absent, also those derived from "
         "them; if it hangs, its counters and histograms stay.\n"
         "- Counters and histograms continue when a daemon restarts, as long as its shared memory exists and "
         "its declarations are unchanged; gauges are absent until they are measured again. metricsd has no "
         "shared memory: its own metrics restart at 0.\n"
         "- Those of auralis-probe are its latest results, for the last 8 pairs of a station and a format "
         "that it probed with `--publish`; they stay until the next result, whatever has become of the "
         "daemons.\n"
         "- A counter that is absent at 0 appears with its first count, which `rate()` and `increase()` "
         "miss: an alert asks for `increase(x[5m]) > 0 or (x unless x offset 5m)`.\n"
         "- The device is what renders: a GPU or other OpenCL device, or the processor with the native "
         "engine.\n"
         "- `station` is the name of a configured station, or `personal` for all personal stations together. "
         "No label identifies a listener.\n"
         "- A bucket counts the values up to and including its bound; the last bucket is `+Inf`.\n"
         "- Target, threshold: of the metric in its own unit, by tools/metrics_guidance.h; no threshold "
         "means that nobody has to act on it. Test: the one that makes the metric move.\n";
  write_metrics_table(out, "synthd", declared_metrics<SynthMetrics>());
  write_metrics_table(out, "streamd", declared_metrics<StreamMetrics>());
  write_metrics_table(out, "metricsd", declared_metrics<OwnMetrics>());
  write_metrics_table(out, "auralis-probe", declared_metrics<ProbeMetrics>());
  return out.str();
}

}  // namespace auralis
