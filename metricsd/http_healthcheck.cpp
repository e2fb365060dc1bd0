// SPDX-License-Identifier: MIT
#include "metricsd/http_healthcheck.h"

#include "metricsd/http_client.h"

namespace auralis {

std::string http_healthcheck(const HttpEndpoint& endpoint) {
  // The certificate is issued for the server's public name, not for this machine's address.
  return http_get(http_url(endpoint) + "/healthz", HttpPeer::kAny).problem;
}

}  // namespace auralis
