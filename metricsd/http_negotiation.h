// SPDX-License-Identifier: MIT
// What a client accepts (RFC 9110, 12.5), and compression, as pure functions. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace auralis {

// Whether the value of Accept-Encoding admits gzip. An absent header does not: not every client that sends
// none can decompress.
bool accepts_gzip(std::string_view accept_encoding);

// Whether the value of Accept names OpenMetrics, in a version that metricsd writes, and prefers no plain
// text.
bool prefers_openmetrics(std::string_view accept);

// `text` in the format of gzip. Throws std::bad_alloc.
std::string gzipped(std::string_view text);

}  // namespace auralis
