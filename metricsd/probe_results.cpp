// SPDX-License-Identifier: MIT
#include "metricsd/probe_results.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "common/metrics/metric_names.h"

namespace auralis {

void ProbeResults::read(std::int64_t now_ns, std::vector<MetricSample>& samples) {
  if (reader_.refresh()) guard_.begin();
  std::vector<MetricSample> results;
  reader_.read(results);
  guard_.filter(results, now_ns);
  std::copy_if(std::make_move_iterator(results.begin()), std::make_move_iterator(results.end()),
               std::back_inserter(samples),
               [](const MetricSample& sample) { return sample.spec.name.rfind(kProbePrefix, 0) == 0; });
}

}  // namespace auralis
