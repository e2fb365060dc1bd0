// SPDX-License-Identifier: MIT
// Metrics that metricsd derives from the counters of the other daemons, over sliding windows of one-second
// samples.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/metrics/metrics.h"
#include "metricsd/counter_window.h"
#include "metricsd/own_metrics.h"
#include "metricsd/system_sampler.h"

namespace auralis {

// One thread at a time. A metric that cannot be derived is absent: a counter is missing, there is only one
// sample yet, or nothing was sent.
class DerivedMetrics {
 public:
  static constexpr std::int64_t kShortSpanNs = 5'000'000'000;
  static constexpr std::int64_t kLongSpanNs = 60'000'000'000;

  // Sets the gauges of `own`, which must outlive it.
  explicit DerivedMetrics(OwnMetrics& own);

  // Adds one sample, about once a second, the machine's first: the CPU metrics of processes are shares of its
  // cores. Times are CLOCK_MONOTONIC nanoseconds and increase.
  void add_machine(std::int64_t now_ns, const std::optional<CpuTicks>& ticks);
  void add_synthd(std::int64_t now_ns, const std::vector<MetricSample>& samples);
  void add_streamd(std::int64_t now_ns, const std::vector<MetricSample>& samples);
  void add_metricsd(std::int64_t now_ns);

  // The daemon's counters do not count or cannot be read at the moment: metrics derived from them are absent
  // until they are back. The windows are kept: what was lost meanwhile shows in them.
  void hide(Daemon daemon);

 private:
  void set_cpu_percent(Daemon daemon, double cpu_seconds_a_second);

  OwnMetrics& own_;
  unsigned cores_ = 0;  // 0: unknown
  CounterWindow machine_;
  CounterWindow synthd_;
  CounterWindow streamd_;
  CounterWindow metricsd_;
};

}  // namespace auralis
