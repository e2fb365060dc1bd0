// SPDX-License-Identifier: MIT
#include "metricsd/http_endpoint.h"

namespace auralis {

HttpEndpoint http_endpoint(const Config& config) {
  const auto& metricsd = config.metricsd;
  return {metricsd.host, metricsd.port, metricsd.tls_certificate, metricsd.tls_key, metricsd.password_file};
}

std::string url_host(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::string http_url(const HttpEndpoint& endpoint) {
  const std::string scheme = endpoint.tls_certificate.empty() ? "http" : "https";
  return scheme + "://" + url_host(endpoint.host) + ":" + std::to_string(endpoint.port);
}

}  // namespace auralis
