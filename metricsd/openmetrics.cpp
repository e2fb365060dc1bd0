// SPDX-License-Identifier: MIT
#include "metricsd/openmetrics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "common/base/clock.h"

namespace auralis {
namespace {

constexpr std::string_view kTotal = "_total";

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() > end.size() && text.substr(text.size() - end.size()) == end;
}

std::string number(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

// Milliseconds after the point; never an exponent.
std::string seconds_text(std::int64_t ns) {
  std::array<char, 32> text{};
  const std::int64_t whole_ms = ns / kNsPerMs;
  const double seconds = static_cast<double>(whole_ms) / 1e3;
  return {text.data(),
          std::to_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed, 3).ptr};
}

// A bound of a histogram, always in the same form: 0.5, 1.0, 1e+06.
std::string bound_text(double bound) {
  constexpr double kFirstWithExponent = 1e6;
  std::array<char, 32> text{};
  const auto format = bound < kFirstWithExponent ? std::chars_format::fixed : std::chars_format::scientific;
  std::string result(text.data(), std::to_chars(text.data(), text.data() + text.size(), bound, format).ptr);
  if (result.find_first_of(".e") == std::string::npos) result += ".0";
  return result;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\' || c == '"') result += '\\';
    result.append(c == '\n' ? "\\n" : std::string(1, c));
  }
  return result;
}

std::string labels_text(const std::vector<MetricLabel>& labels) {
  std::string text;
  for (const auto& label : labels)
    text += (text.empty() ? "" : ",") + label.name + "=\"" + escaped(label.value) + "\"";
  return text;
}

void add_line(std::string& text, const std::string& name, const std::string& labels, double value,
              const Exemplar* exemplar = nullptr) {
  text += name;
  if (!labels.empty()) text += "{" + labels + "}";
  text += " " + number(value);
  if (exemplar != nullptr) {
    text += " # {" + labels_text(exemplar->labels) + "} " + number(exemplar->value) + " " +
            seconds_text(exemplar->unix_ns);
  }
  text += "\n";
}

// The exemplar of that series, and bucket of a histogram; null if there is none.
const Exemplar* exemplar_of(const std::vector<Exemplar>& exemplars, const MetricSample& sample,
                            std::size_t bucket = 0) {
  const auto found = std::find_if(exemplars.begin(), exemplars.end(), [&](const Exemplar& exemplar) {
    return exemplar.is_of(sample.spec.name, sample.spec.labels, bucket);
  });
  return found == exemplars.end() ? nullptr : &*found;
}

// Only of series without labels: those with labels would double the page, and began with their daemon's
// others, or with their station.
void add_created(std::string& text, const std::string& name, const MetricSample& sample) {
  if (sample.began_unix_ns == 0 || !sample.spec.labels.empty()) return;
  text += name + "_created " + seconds_text(sample.began_unix_ns) + "\n";
}

void add_histogram(std::string& text, const std::string& name, const MetricSample& sample,
                   const std::vector<Exemplar>& exemplars) {
  const std::string labels = labels_text(sample.spec.labels);
  const std::vector<double> counts = cumulative_buckets(sample);
  const std::string others = labels.empty() ? "" : labels + ",";
  for (std::size_t bound = 0; bound < sample.spec.bounds.size(); ++bound) {
    add_line(text, name + "_bucket", others + "le=\"" + bound_text(sample.spec.bounds[bound]) + "\"",
             counts[bound], exemplar_of(exemplars, sample, bound));
  }
  add_line(text, name + "_bucket", others + "le=\"+Inf\"", counts.back(),
           exemplar_of(exemplars, sample, sample.spec.bounds.size()));
  add_line(text, name + "_count", labels, counts.back());
  add_line(text, name + "_sum", labels, sample.sum);
  add_created(text, name, sample);
}

const char* type_name(const SnapshotFamily& family) {
  switch (family.type) {
    case MetricType::kCounter:
      return ends_with(family.name, kTotal) ? "counter" : "unknown";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "unknown";
}

// Of the names that end in a unit only those whose unit is one of OpenMetrics' own.
std::string_view unit_of(std::string_view name) {
  for (const std::string_view unit : {"seconds", "bytes"}) {
    if (ends_with(name, unit) && name[name.size() - unit.size() - 1] == '_') return unit;
  }
  return {};
}

void add_family(std::string& text, const SnapshotFamily& family, const std::vector<Exemplar>& exemplars) {
  std::string name = family.name;
  if (family.type == MetricType::kCounter && ends_with(name, kTotal))
    name.resize(name.size() - kTotal.size());
  text.append("# TYPE ").append(name).append(" ").append(type_name(family)).append("\n");
  if (const auto unit = unit_of(name); !unit.empty())
    text.append("# UNIT ").append(name).append(" ").append(unit).append("\n");
  text += "# HELP " + name + " " + escaped(family.help) + "\n";
  for (const auto& sample : family.samples) {
    if (family.type == MetricType::kHistogram) {
      add_histogram(text, name, sample, exemplars);
    } else if (name != family.name) {
      add_line(text, family.name, labels_text(sample.spec.labels), sample.value,
               exemplar_of(exemplars, sample));
      add_created(text, name, sample);
    } else {
      add_line(text, name, labels_text(sample.spec.labels), sample.value);
    }
  }
}

}  // namespace

std::string openmetrics(const Snapshot& snapshot, const std::vector<Exemplar>& exemplars) {
  std::string text;
  for (const auto& family : snapshot.families) add_family(text, family, exemplars);
  return text + "# EOF\n";
}

}  // namespace auralis
