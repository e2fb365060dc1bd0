// SPDX-License-Identifier: MIT
#include "metricsd/http_healthcheck.h"

#include <optional>

#include "metricsd/http_server.h"

#include <doctest/doctest.h>

namespace auralis::http_healthcheck_test {
namespace {

TEST_CASE("http_healthcheck: is content with a serving metricsd only") {
  const auto page = [](int status) {
    return [status](const HttpRequest&) { return HttpPage{HttpPage{}.type, "", status}; };
  };
  std::optional<HttpServer> server;
  server.emplace(HttpEndpoint{"127.0.0.1", 0}, HttpPages{{"/healthz", page(200)}});
  const int port = server->port();
  CHECK(http_healthcheck({"127.0.0.1", port}).empty());
  CHECK(http_healthcheck({"0.0.0.0", port}).empty());
  server.reset();
  CHECK_FALSE(http_healthcheck({"127.0.0.1", port}).empty());
  const HttpServer unwell({"127.0.0.1", 0}, {{"/healthz", page(503)}});
  CHECK(http_healthcheck({"127.0.0.1", unwell.port()}).find("code=503") != std::string::npos);
}

}  // namespace
}  // namespace auralis::http_healthcheck_test
