// SPDX-License-Identifier: MIT
// The text format of OpenMetrics 1.0, which the packaged prometheus-cpp does not write. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "metricsd/exemplars.h"
#include "metricsd/snapshot.h"

namespace auralis {

inline constexpr std::string_view kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

// All metrics of `snapshot`. A counter is a family without the suffix _total, which its series keep; one
// without that suffix is of unknown type. Counters and histograms without labels have a series _created, if
// it is known when they began to count. `exemplars` follow the values of their counters and buckets.
std::string openmetrics(const Snapshot& snapshot, const std::vector<Exemplar>& exemplars = {});

}  // namespace auralis
