// SPDX-License-Identifier: MIT
// A POST that is taken, and certificates, are tested against a collector in tests/integration/traces_test.py.
#include "metricsd/http_client.h"

#include "metricsd/http_server.h"

#include <doctest/doctest.h>

namespace auralis::http_client_test {
namespace {

std::string url(const HttpServer& server, const std::string& target, const std::string& user = "") {
  return "http://" + user + "127.0.0.1:" + std::to_string(server.port()) + target;
}

HttpAnswer get(const std::string& url) { return http_get(url, HttpPeer::kAny); }

}  // namespace

TEST_CASE("http_get and http_post: the status, and a problem that names the URL") {
  const HttpServer server({"127.0.0.1", 0}, {{"/page", [](const HttpRequest&) { return HttpPage{}; }}});
  CHECK(get(url(server, "/page")).problem.empty());
  CHECK(get(url(server, "/page?query=1")).status == 200);
  const HttpAnswer absent = get(url(server, "/absent"));
  CHECK(absent.status == 404);
  CHECK(absent.problem.find(url(server, "/absent") + ": ") == 0);
  CHECK(http_post(url(server, "/page"), "{}", HttpPeer::kAny).status == 405);
  CHECK(get("nonsense://").status == 0);
  CHECK_FALSE(get("nonsense://").problem.empty());
}

TEST_CASE("http_get: a problem does not tell what may be secret") {
  const HttpServer server({"127.0.0.1", 0}, {});
  const std::string problem = get(url(server, "/a@b?api_key=SECRET", "me:SECRET@")).problem;
  CHECK(problem.find(url(server, "/a@b") + ": ") == 0);
  CHECK(problem.find("SECRET") == std::string::npos);
}

TEST_CASE("http_get: nobody listens there") {
  int port = 0;
  {
    const HttpServer server({"127.0.0.1", 0}, {});
    port = server.port();
  }
  const HttpAnswer answer = get("http://127.0.0.1:" + std::to_string(port) + "/");
  CHECK(answer.status == 0);
  CHECK(answer.problem.find("Connection refused") != std::string::npos);
}

}  // namespace auralis::http_client_test
