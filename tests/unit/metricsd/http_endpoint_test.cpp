// SPDX-License-Identifier: MIT
#include "metricsd/http_endpoint.h"

#include <doctest/doctest.h>

namespace auralis::http_endpoint_test {

TEST_CASE("http_url: names the scheme, and an IPv6 address in brackets") {
  Config config;
  CHECK(http_url(http_endpoint(config)) == "http://127.0.0.1:9464");
  config.metricsd.host = "::";
  config.metricsd.port = 443;
  config.metricsd.tls_certificate = "/certificate.pem";
  CHECK(http_url(http_endpoint(config)) == "https://[::]:443");
}

}  // namespace auralis::http_endpoint_test
