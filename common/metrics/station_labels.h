// SPDX-License-Identifier: MIT
// Assigns the late labels of a daemon's metrics to configured stations. Personal stations, of which there may
// be thousands, share one constant label.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "common/metrics/late_labels.h"

namespace auralis {

inline constexpr std::string_view kPersonalLabel = "personal";

// The thread that updates the stations' metrics. `metrics` outlives it.
class StationLabels {
 public:
  explicit StationLabels(LateLabelWriter& metrics) : metrics_(metrics) {}

  // Keeps the labels of these stations; the metrics of all others become absent. Calls `release` with the
  // index of each before that.
  void keep(
      const std::vector<std::string_view>& names,
      const std::function<void(std::size_t)>& release = [](std::size_t) {});

  // The index of the station's label, possibly set by a former process; else assigns a free one. Nothing if
  // none is free.
  std::optional<std::size_t> label_of(std::string_view name);

 private:
  LateLabelWriter& metrics_;
};

}  // namespace auralis
