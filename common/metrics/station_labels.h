// SPDX-License-Identifier: MIT
// Which of a segment's late labels carries which configured station's name. Personal stations, of which there
// may be thousands, share one constant label.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "common/metrics/metrics_segment.h"

namespace auralis {

inline constexpr std::string_view kPersonalLabel = "personal";

// The thread that counts the stations' figures. `metrics` outlives it.
class StationLabels {
 public:
  explicit StationLabels(MetricsWriter& metrics) : metrics_(metrics) {}

  // Only these go on; the figures of others are absent from now on.
  void keep(const std::vector<std::string_view>& names);

  // The label of that station, a former process's too, else a free one that it then has; nothing where all
  // are taken.
  std::optional<std::size_t> label_of(std::string_view name);

 private:
  MetricsWriter& metrics_;
};

}  // namespace auralis
