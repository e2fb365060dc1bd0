// SPDX-License-Identifier: MIT
#include "metricsd/memory_hour.h"

#include <iterator>

#include "common/base/clock.h"
#include "metricsd/history_queries.h"

namespace auralis {
namespace {

constexpr std::int64_t kHourNs = 3'600 * kNsPerSecond;
constexpr std::int64_t kMostOfHourNs = 3'300 * kNsPerSecond;
// Prometheus' own default interval, dense enough for a slope.
constexpr std::int64_t kPeriodNs = 15 * kNsPerSecond;

// Least-squares slope, as Prometheus' deriv(), in percent of the mean. The points are two or more.
template <typename Points>
double percent_an_hour(const Points& points) {
  const auto count = static_cast<double>(points.size());
  const auto hours = [&](const auto& point) {
    return static_cast<double>(point.now_ns - points.front().now_ns) / static_cast<double>(kHourNs);
  };
  double mean_hours = 0;
  double mean_mb = 0;
  for (const auto& point : points) {
    mean_hours += hours(point) / count;
    mean_mb += point.mb / count;
  }
  double covariance = 0;
  double variance = 0;
  for (const auto& point : points) {
    covariance += (hours(point) - mean_hours) * (point.mb - mean_mb);
    variance += (hours(point) - mean_hours) * (hours(point) - mean_hours);
  }
  return 100 * covariance / variance / mean_mb;
}

}  // namespace

void MemoryHour::note(const History& history) {
  const std::int64_t now_ns = history.time_ns(history.newest());
  for_each_gauge(history, "auralis_memory_mb", [&](const History::Series& series, double mb) {
    if (series.label("kind") != "anon" || !(mb > 0)) return;
    auto& points = points_[std::string(series.label("process"))];
    if (points.empty() || now_ns - points.back().now_ns >= kPeriodNs) points.push_back({now_ns, mb});
  });
  for (auto process = points_.begin(); process != points_.end();) {
    auto& points = process->second;
    while (!points.empty() && points.front().now_ns <= now_ns - kHourNs) points.pop_front();
    process = points.empty() ? points_.erase(process) : std::next(process);
  }
}

std::map<std::string, MemoryHour::Growth> MemoryHour::growth() const {
  std::map<std::string, Growth> growth;
  for (const auto& [process, points] : points_) {
    if (points.size() < 2) continue;
    growth[process] = {percent_an_hour(points),
                       points.back().now_ns - points.front().now_ns >= kMostOfHourNs};
  }
  return growth;
}

}  // namespace auralis
