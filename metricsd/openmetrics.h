// SPDX-License-Identifier: MIT
// The text format of OpenMetrics 1.0, which the packaged prometheus-cpp does not write. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "metricsd/snapshot.h"

namespace auralis {

inline constexpr std::string_view kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

// All metrics of `snapshot`. A counter is a family without the suffix _total, which its series keep; one
// without that suffix is of unknown type.
std::string openmetrics(const Snapshot& snapshot);

}  // namespace auralis
