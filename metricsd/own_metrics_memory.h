// SPDX-License-Identifier: MIT
// metricsd's own metrics on the heap, all gauges absent initially.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "common/metrics/late_labels.h"
#include "metricsd/own_metrics.h"

namespace auralis {

// One thread at a time.
class OwnMetricsMemory final : public LateLabelWriter {
 public:
  OwnMetricsMemory();
  OwnMetricsMemory(const OwnMetricsMemory&) = delete;
  OwnMetricsMemory& operator=(const OwnMetricsMemory&) = delete;

  OwnMetrics& metrics() { return metrics_; }
  std::string late_label(std::size_t index) const override;
  void set_late_label(std::size_t index, std::string_view text) override;
  void read(std::vector<MetricSample>& samples) const;

 private:
  SharedWord* prepared();

  std::vector<MetricSpec> specs_;
  std::vector<SharedWord> words_;
  std::unique_ptr<LateLabels> late_labels_ = std::make_unique<LateLabels>();
  MetricBinder binder_;
  OwnMetrics metrics_;
};

}  // namespace auralis
