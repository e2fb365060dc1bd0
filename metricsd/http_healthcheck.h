// SPDX-License-Identifier: MIT
// What `metricsd --healthcheck` does.
#pragma once

#include <cstdint>
#include <string>

namespace auralis {

// Asks the server that listens at this `host` (of 0.0.0.0 and ::, on this machine) for /healthz. Empty if it
// answers 200 within three seconds, else what is wrong. Any thread.
std::string http_healthcheck(const std::string& host, std::int64_t port);

}  // namespace auralis
