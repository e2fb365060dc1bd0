// SPDX-License-Identifier: MIT
// Implements `metricsd --healthcheck`.
#pragma once

#include <string>

#include "metricsd/http_endpoint.h"

namespace auralis {

// Requests /healthz from the server at `endpoint` (for 0.0.0.0 and ::, on this machine). Empty if it answers
// 200 in the time of a request (http_client.h), else the problem. Reads none of the endpoint's files. Any
// thread.
std::string http_healthcheck(const HttpEndpoint& endpoint);

}  // namespace auralis
