// SPDX-License-Identifier: MIT
// A GPU as its driver measures it.
#pragma once

#include <optional>

namespace auralis {

// Fields that the driver does not report are empty.
struct GpuReading {
  std::optional<double> utilization_percent;  // of the last second or less, by all programs
  std::optional<double> memory_total_mb;      // MiB
  std::optional<double> temperature_celsius;
  std::optional<double> power_watts;
};

}  // namespace auralis
