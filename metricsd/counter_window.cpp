// SPDX-License-Identifier: MIT
#include "metricsd/counter_window.h"

#include <cassert>
#include <iterator>

#include "common/base/clock.h"

namespace auralis {

bool CounterWindow::was_reset(const Values& values) const {
  if (points_.empty()) return false;
  for (std::size_t column = 0; column < kColumns; ++column) {
    if (values[column] < points_.back().values[column]) return true;  // false for NaN
  }
  return false;
}

void CounterWindow::add(std::int64_t now_ns, const Values& values) {
  assert(points_.empty() || now_ns >= points_.back().at_ns);
  if (was_reset(values)) clear();
  while (!points_.empty() && points_.front().at_ns < now_ns - span_ns_) points_.pop_front();
  points_.push_back({now_ns, values});
}

std::optional<CounterWindow::Change> CounterWindow::change(std::int64_t span_ns, bool unbroken) const {
  if (points_.empty()) return std::nullopt;
  const Point& newest = points_.back();
  auto oldest = std::prev(points_.end());
  while (oldest != points_.begin()) {
    const auto before = std::prev(oldest);
    if (before->at_ns < newest.at_ns - span_ns) break;
    if (unbroken && oldest->at_ns - before->at_ns > kGapNs) break;
    oldest = before;
  }
  if (newest.at_ns - oldest->at_ns < kLeastNs) return std::nullopt;
  Change change;
  change.seconds = static_cast<double>(newest.at_ns - oldest->at_ns) / static_cast<double>(kNsPerSecond);
  for (std::size_t column = 0; column < kColumns; ++column) {
    change.amount[column] = newest.values[column] - oldest->values[column];
  }
  return change;
}

}  // namespace auralis
