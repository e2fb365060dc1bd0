// SPDX-License-Identifier: MIT
// Whether a client prefers OpenMetrics, and compression, as pure functions. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace auralis {

// Whether the value of Accept names OpenMetrics, in a version that metricsd writes, and prefers no plain
// text.
bool prefers_openmetrics(std::string_view accept);

// `text` in the format of gzip. Throws std::bad_alloc.
std::string gzipped(std::string_view text);

}  // namespace auralis
