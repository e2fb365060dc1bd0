// SPDX-License-Identifier: MIT
// Questions about all series of a name in a History.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "metricsd/history.h"

namespace auralis {

// `use`: called with each series of that name.
template <typename Use>
void for_each_series(const History& history, std::string_view name, Use use) {
  for (const auto& series : history.series()) {
    if (series.name == name) use(series);
  }
}

// `use`: called with each gauge of that name that is not absent in the newest point, and its value there.
template <typename Use>
void for_each_gauge(const History& history, std::string_view name, Use use) {
  for_each_series(history, name, [&](const History::Series& series) {
    const float value = history.value(series, history.newest());
    if (!std::isnan(value)) use(series, static_cast<double>(value));
  });
}

// By how much the counters of that name rose over the last `span_ns`, together; of those for which
// `is_meant(series)`.
template <typename IsMeant>
double increase_of(const History& history, std::string_view name, std::int64_t span_ns, IsMeant is_meant) {
  double sum = 0;
  for_each_series(history, name, [&](const History::Series& series) {
    if (is_meant(series)) sum += history.increase(series, span_ns);
  });
  return sum;
}

inline double increase_of(const History& history, std::string_view name, std::int64_t span_ns) {
  return increase_of(history, name, span_ns, [](const History::Series&) { return true; });
}

}  // namespace auralis
