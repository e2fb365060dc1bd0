// SPDX-License-Identifier: MIT
// A POST that is taken is tested against a collector in tests/integration/traces_test.py.
#include "metricsd/http_client.h"

#include "metricsd/http_server.h"

#include <doctest/doctest.h>

namespace auralis::http_client_test {
namespace {

std::string url(const HttpServer& server, const std::string& target) {
  return "http://127.0.0.1:" + std::to_string(server.port()) + target;
}

}  // namespace

TEST_CASE("http_get and http_post: the problem names the URL and what is wrong") {
  HttpServer server({"127.0.0.1", 0}, {{"/page", [](const HttpRequest&) { return HttpPage{}; }}});
  CHECK(http_get(url(server, "/page"), HttpPeer::kAny).empty());
  CHECK(http_get(url(server, "/page?query=1"), HttpPeer::kAny).empty());
  const std::string absent = http_get(url(server, "/absent"), HttpPeer::kAny);
  CHECK(absent.find(url(server, "/absent") + ": ") == 0);
  CHECK(absent.find("404") != std::string::npos);
  CHECK(http_post(url(server, "/page"), "{}", HttpPeer::kAny).find("405") != std::string::npos);
  CHECK_FALSE(http_get("nonsense://", HttpPeer::kAny).empty());
}

TEST_CASE("http_get: nobody listens there") {
  int port = 0;
  {
    const HttpServer server({"127.0.0.1", 0}, {});
    port = server.port();
  }
  const std::string problem = http_get("http://127.0.0.1:" + std::to_string(port) + "/", HttpPeer::kAny);
  CHECK(problem.find("Connection refused") != std::string::npos);
}

}  // namespace auralis::http_client_test
