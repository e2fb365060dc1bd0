// SPDX-License-Identifier: MIT
// Implements `metricsd --healthcheck`.
#pragma once

#include <cstdint>
#include <string>

namespace auralis {

// Requests /healthz from the server at `host` (for 0.0.0.0 and ::, on this machine). Empty if it answers 200
// within three seconds, else the problem. Any thread.
std::string http_healthcheck(const std::string& host, std::int64_t port);

}  // namespace auralis
