// SPDX-License-Identifier: MIT
// The figures that metricsd computes from the counters of the others, over sliding windows of one-second
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

// One thread at a time. A figure that its counters do not give is absent: a counter is missing, a single
// sample is there yet, or nothing was tried.
class DerivedMetrics {
 public:
  static constexpr std::int64_t kShortSpanNs = 5'000'000'000;
  static constexpr std::int64_t kLongSpanNs = 60'000'000'000;

  // Sets the gauges of `own`, which must outlive it.
  explicit DerivedMetrics(OwnMetrics& own);

  // One sample, about each second, the machine's first: the figures of processes are shares of its cores.
  // Moments are CLOCK_MONOTONIC nanoseconds and rise.
  void add_machine(std::int64_t now_ns, const std::optional<CpuTicks>& ticks);
  void add_synthd(std::int64_t now_ns, const std::vector<MetricSample>& samples);
  void add_streamd(std::int64_t now_ns, const std::vector<MetricSample>& samples);
  void add_metricsd(std::int64_t now_ns);

  // The daemon's counters cannot be had at this moment: what is derived from them is absent until they are
  // there again, and its windows go on.
  void hide(Daemon daemon);

  // The daemon is not there: what was derived from it is absent from now on, and begins anew when it is back.
  void gone(Daemon daemon);

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
