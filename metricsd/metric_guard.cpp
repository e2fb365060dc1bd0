// SPDX-License-Identifier: MIT
#include "metricsd/metric_guard.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <utility>

#include "common/metrics/metrics.h"

namespace auralis {
namespace {

constexpr double kMostExact = 9'007'199'254'740'992;  // 2^53: doubles represent all integers up to it

bool in_range(double value) { return std::isfinite(value) && std::abs(value) <= kMostExact; }
bool is_amount(double value) { return in_range(value) && value >= 0; }
bool is_count(double value) { return is_amount(value) && std::trunc(value) == value; }

bool numbers_possible(const MetricSample& sample) {
  switch (sample.spec.type) {
    case MetricType::kCounter:
      return is_amount(sample.value);
    case MetricType::kGauge:
      return in_range(sample.value);
    case MetricType::kHistogram:
      return sample.buckets.size() == sample.spec.bounds.size() + 1 && in_range(sample.sum) &&
             std::all_of(sample.buckets.begin(), sample.buckets.end(), is_count);
  }
  return false;
}

bool text_possible(const MetricSpec& spec) {
  return is_metric_name(spec.name) && is_utf8(spec.help) &&
         std::all_of(spec.labels.begin(), spec.labels.end(), [](const MetricLabel& label) {
           return is_metric_name(label.name) && is_utf8(label.value);
         });
}

bool possible(const MetricSample& sample) { return text_possible(sample.spec) && numbers_possible(sample); }

std::string key_of(const MetricSpec& spec) {
  std::string key = spec.name;
  for (const auto& label : spec.labels)
    key.append(1, '\0').append(label.name).append(1, '\0').append(label.value);
  return key;
}

std::vector<double> numbers_of(const MetricSample& sample) {
  if (sample.spec.type == MetricType::kCounter) return {sample.value};
  std::vector<double> numbers = sample.buckets;
  numbers.push_back(sample.sum);
  return numbers;
}

// A different length means a different declaration, which does not count as a fall.
bool below(const std::vector<double>& now, const std::vector<double>& before) {
  return now.size() == before.size() &&
         !std::equal(before.begin(), before.end(), now.begin(), std::less_equal<>());
}

// The most that a number rises between two reads, which are a second apart: bytes by a hundred times the rate
// of 10 Gbit/s, counts by ten million. Sums of milliseconds, and of their squares, may rise at once by what
// thousands of listeners missed in an outage of minutes.
double most_rise(const MetricSpec& spec, bool count) {
  const auto has = [&spec](const char* part) { return spec.name.find(part) != std::string::npos; };
  if (spec.type == MetricType::kHistogram) return count ? 1e7 : 1e11;
  if (has("squares")) return 1e16;
  return has("bytes") || has("_ms") ? 1e11 : 1e7;
}

// Whether a number rose by more than possible.
bool jumped(const MetricSpec& spec, const std::vector<double>& now, const std::vector<double>& before) {
  if (now.size() != before.size()) return false;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i] - before[i] > most_rise(spec, i + 1 < now.size())) return true;
  }
  return false;
}

// Length of the UTF-8 character that begins with these two bytes; 0 if invalid: overlong forms, surrogates,
// and code points beyond the last one.
std::size_t utf8_length(unsigned first, unsigned second) {
  if (first < 0x80U) return 1;
  if (first >= 0xc2U && first < 0xe0U) return 2;
  if (first >= 0xe0U && first < 0xf0U) {
    return (first == 0xe0U && second < 0xa0U) || (first == 0xedU && second > 0x9fU) ? 0 : 3;
  }
  if (first >= 0xf0U && first < 0xf5U) {
    return (first == 0xf0U && second < 0x90U) || (first == 0xf4U && second > 0x8fU) ? 0 : 4;
  }
  return 0;
}

}  // namespace

std::size_t MetricGuard::filter(std::vector<MetricSample>& samples, std::int64_t now_ns) {
  const std::size_t read = samples.size();
  if (read == 0) return 0;
  if (!std::all_of(samples.begin(), samples.end(), possible)) {
    samples.clear();
    return read;
  }
  ++reads_;
  samples.erase(std::remove_if(samples.begin(), samples.end(),
                               [&](const MetricSample& sample) { return !may_show(sample, now_ns); }),
                samples.end());
  forget_absent();
  return read - samples.size();
}

bool MetricGuard::may_show(const MetricSample& sample, std::int64_t now_ns) {
  if (sample.spec.type == MetricType::kGauge) return true;
  const auto [found, fresh] = series_.try_emplace(key_of(sample.spec));
  Series& series = found->second;
  if (series.seen_in == reads_) return true;  // of two series of the same name the snapshot shows the first
  series.seen_in = reads_;
  series.late = std::any_of(sample.spec.labels.begin(), sample.spec.labels.end(),
                            [](const MetricLabel& label) { return label.late_index.has_value(); });
  Numbers numbers = numbers_of(sample);
  if (!fresh && below(numbers, series.shown)) {
    // It fell, or fell again.
    if (series.withheld.empty() || below(numbers, series.withheld)) series.fell_ns = now_ns;
    if (now_ns - series.fell_ns < kSettledNs) {
      series.jumped_ns = 0;  // it did not stay up
      series.withheld = std::move(numbers);
      return false;
    }
  }
  if (!fresh && jumped(sample.spec, numbers, series.shown)) {
    if (series.jumped_ns == 0) series.jumped_ns = now_ns;
    if (now_ns - series.jumped_ns < kProvenNs) return false;
  }
  series.jumped_ns = 0;
  series.shown = std::move(numbers);
  series.withheld.clear();
  return true;
}

void MetricGuard::forget_absent() {
  for (auto series = series_.begin(); series != series_.end();) {
    const bool gone = series->second.late && series->second.seen_in != reads_;
    series = gone ? series_.erase(series) : std::next(series);
  }
}

bool is_metric_name(const std::string& text) {
  const auto is_digit = [](char c) { return '0' <= c && c <= '9'; };
  const auto is_other = [](char c) { return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || c == '_'; };
  return !text.empty() && is_other(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is_other(c) || is_digit(c); });
}

bool is_utf8(const std::string& text) {
  const auto byte = [&](std::size_t index) {
    return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(byte(at), byte(at + 1));
    if (length == 0) return false;
    for (std::size_t next = 1; next < length; ++next) {
      if ((byte(at + next) & 0xc0U) != 0x80U) return false;
    }
    at += length;
  }
  return true;
}

}  // namespace auralis
