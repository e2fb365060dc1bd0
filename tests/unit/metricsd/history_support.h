// SPDX-License-Identifier: MIT
// Support for the tests of what is built on History: samples, and a history that a test fills second by
// second.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "metricsd/history.h"
#include "tests/unit/support.h"

namespace auralis::test {

inline MetricSample gauge_of(const std::string& name, double value, std::vector<MetricLabel> labels = {}) {
  return {{name, "help", MetricType::kGauge, std::move(labels), {}}, value, {}, 0};
}

inline MetricSample counter_of(const std::string& name, double value, std::vector<MetricLabel> labels = {}) {
  return {{name, "help", MetricType::kCounter, std::move(labels), {}}, value, {}, 0};
}

inline MetricSample histogram_of(const std::string& name, std::vector<double> bounds,
                                 std::vector<double> counts) {
  return {{name, "help", MetricType::kHistogram, {}, std::move(bounds)}, 0, std::move(counts), 0};
}

// A history, and the clock by which a test adds to it.
struct HistoryFixture {
  ManualClock clock;
  History history;

  void add_after(std::int64_t ns, std::vector<MetricSample> samples) {
    clock.now += ns;
    history.add(clock.now, clock.unix_ns(), families_of(std::move(samples)));
  }
  void add(std::vector<MetricSample> samples) { add_after(kNsPerSecond, std::move(samples)); }

  // The only series of that name.
  const History::Series& series(const std::string& name) const {
    for (const auto& series : history.series()) {
      if (series.name == name) return series;
    }
    throw std::out_of_range("no series " + name);
  }

  // The newest value of that series.
  float newest(const std::string& name) const { return history.value(series(name), history.newest()); }
};

}  // namespace auralis::test
