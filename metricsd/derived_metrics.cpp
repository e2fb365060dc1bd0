// SPDX-License-Identifier: MIT
#include "metricsd/derived_metrics.h"

#include "common/metrics/metric_names.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace auralis {
namespace {

using Change = CounterWindow::Change;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kBitsAByte = 8;
constexpr double kBitsAMegabit = 1e6;

// Columns of the windows: those of daemons in the order of kDerivedFromSynthd and kDerivedFromStreamd.
enum MachineColumn { kBusyTicks, kTotalTicks };
enum SynthColumn { kSynthCpu, kDeviceBusy, kSynthColumns };
enum StreamColumn {
  kStreamCpu,
  kDue,
  kOnTime,
  kLeft,  // dropped because the listener left
  kBytes,
  kIntervals,
  kLateMs,
  kEarlyMs,
  kIntervalSquares,
  kUncounted,  // of metricsd
  kStreamColumns
};
enum MetricsColumn { kMetricsCpu };
static_assert(kDerivedFromSynthd.size() == kSynthColumns && kDerivedFromStreamd.size() == kUncounted);

bool is_of(const MetricSpec& spec, const CounterName& counter) {
  if (spec.name != counter.name) return false;
  return counter.label_value == nullptr ||
         std::any_of(spec.labels.begin(), spec.labels.end(),
                     [&](const MetricLabel& label) { return label.value == counter.label_value; });
}

// The sum of the counter's series: there may be one per station. It falls when a station is closed, which
// resets its window.
double value_of(const std::vector<MetricSample>& samples, const CounterName& counter) {
  double sum = kNone;
  for (const auto& sample : samples) {
    if (is_of(sample.spec, counter)) sum = std::isnan(sum) ? sample.value : sum + sample.value;
  }
  return sum;
}

template <std::size_t N>
CounterWindow::Values values_of(const std::vector<MetricSample>& samples,
                                const std::array<CounterName, N>& names) {
  static_assert(N <= CounterWindow::kColumns);
  CounterWindow::Values values{};
  for (std::size_t column = 0; column < N; ++column) values[column] = value_of(samples, names[column]);
  return values;
}

// Without a total, the share is absent.
double percent(double part, double whole) {
  const double share = 100 * part / whole;
  return std::isfinite(share) ? std::clamp(share, 0.0, 100.0) : kNone;
}

double success_percent(const Change& change) {
  return percent(change.amount[kOnTime],
                 change.amount[kDue] + change.amount[kUncounted] - change.amount[kLeft]);
}

double rate(const std::optional<Change>& change, int column) {
  return change ? change->amount[static_cast<std::size_t>(column)] / change->seconds : kNone;
}

// Standard deviation from the sums of the intervals' differences to the chunk's duration: a shift does not
// change it.
double interval_deviation_ms(const Change& change) {
  const double count = change.amount[kIntervals];
  if (!(count >= 2)) return kNone;
  const double mean = (change.amount[kLateMs] - change.amount[kEarlyMs]) / count;
  return std::sqrt(std::max(0.0, change.amount[kIntervalSquares] / count - mean * mean));
}

}  // namespace

DerivedMetrics::DerivedMetrics(OwnMetrics& own)
    : own_(own),
      machine_(kShortSpanNs),
      synthd_(kShortSpanNs),
      streamd_(kLongSpanNs),
      metricsd_(kShortSpanNs) {}

void DerivedMetrics::add_machine(std::int64_t now_ns, const std::optional<CpuTicks>& ticks) {
  if (!ticks) {
    cores_ = 0;
    machine_.clear();
    own_.machine_cpu_percent.clear();
    return;
  }
  cores_ = ticks->cores;
  machine_.add(now_ns, {ticks->busy, ticks->total});
  const std::optional<Change> change = machine_.over(kShortSpanNs);
  own_.machine_cpu_percent.set(change ? percent(change->amount[kBusyTicks], change->amount[kTotalTicks])
                                      : kNone);
}

void DerivedMetrics::add_synthd(std::int64_t now_ns, const std::vector<MetricSample>& samples) {
  synthd_.add(now_ns, values_of(samples, kDerivedFromSynthd));
  const std::optional<Change> change = synthd_.unbroken(kShortSpanNs);
  const double busy = percent(rate(change, kDeviceBusy), 1);
  const bool gpu = std::any_of(samples.begin(), samples.end(),
                               [](const MetricSample& sample) { return sample.spec.name == kGpuMemory; });
  own_.gpu_percent.set(gpu ? busy : kNone);
  own_.engine_percent.set(gpu ? kNone : busy);
  set_cpu_percent(Daemon::kSynthd, rate(change, kSynthCpu));
}

void DerivedMetrics::add_streamd(std::int64_t now_ns, const std::vector<MetricSample>& samples) {
  CounterWindow::Values values = values_of(samples, kDerivedFromStreamd);
  values[kUncounted] = own_.chunks_uncounted.value();
  streamd_.add(now_ns, values);
  const std::optional<Change> lately = streamd_.unbroken(kShortSpanNs);
  own_.bandwidth_mbps.set(rate(lately, kBytes) * kBitsAByte / kBitsAMegabit);
  set_cpu_percent(Daemon::kStreamd, rate(lately, kStreamCpu));
  const std::optional<Change> minute = streamd_.over(kLongSpanNs);
  own_.success_rate.set(minute ? success_percent(*minute) : kNone);
  own_.delivery_variance_ms.set(minute ? interval_deviation_ms(*minute) : kNone);
}

void DerivedMetrics::add_metricsd(std::int64_t now_ns) {
  metricsd_.add(now_ns, {own_.process.cpu_seconds.value()});
  set_cpu_percent(Daemon::kMetricsd, rate(metricsd_.unbroken(kShortSpanNs), kMetricsCpu));
}

void DerivedMetrics::hide(Daemon daemon) {
  own_.cpu_percent[daemon_index(daemon)].clear();
  if (daemon == Daemon::kSynthd) {
    own_.gpu_percent.clear();
    own_.engine_percent.clear();
  } else if (daemon == Daemon::kStreamd) {
    own_.bandwidth_mbps.clear();
    own_.success_rate.clear();
    own_.delivery_variance_ms.clear();
  }
}

void DerivedMetrics::set_cpu_percent(Daemon daemon, double cpu_seconds_a_second) {
  own_.cpu_percent[daemon_index(daemon)].set(percent(cpu_seconds_a_second, cores_));
}

}  // namespace auralis
