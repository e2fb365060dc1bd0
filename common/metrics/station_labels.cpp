// SPDX-License-Identifier: MIT
#include "common/metrics/station_labels.h"

#include <algorithm>

namespace auralis {

void StationLabels::keep(const std::vector<std::string_view>& names,
                         const std::function<void(std::size_t)>& release) {
  for (std::size_t i = 0; i < kStationLabels; ++i) {
    const std::string label = metrics_.late_label(i);
    if (label.empty() || std::find(names.begin(), names.end(), label) != names.end()) continue;
    release(i);
    metrics_.set_late_label(i, "");
  }
}

std::optional<std::size_t> StationLabels::label_of(std::string_view name) {
  std::optional<std::size_t> free;
  for (std::size_t i = kStationLabels; i-- > 0;) {
    const std::string label = metrics_.late_label(i);
    if (label == name) return i;
    if (label.empty()) free = i;
  }
  if (free) metrics_.set_late_label(*free, name);
  return free;
}

}  // namespace auralis
