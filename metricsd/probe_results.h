// SPDX-License-Identifier: MIT
// What auralis-probe found when it last listened: its metrics, which outlive it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/metrics/metrics.h"
#include "common/metrics/metrics_segment.h"
#include "metricsd/metric_guard.h"

namespace auralis {

// One thread at a time.
class ProbeResults {
 public:
  // `directory`: Config::probe_dir().
  explicit ProbeResults(const std::filesystem::path& directory) : reader_(directory) {}

  // Appends the results, whether their writer lives or not; nothing if there are none, or one is impossible.
  // Metrics under names that are not the probe's are left out: its segment says nothing about the daemons.
  // `now_ns`: CLOCK_MONOTONIC.
  void read(std::int64_t now_ns, std::vector<MetricSample>& samples);

 private:
  MetricsReader reader_;
  MetricGuard guard_;
};

}  // namespace auralis
