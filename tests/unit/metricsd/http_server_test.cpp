// SPDX-License-Identifier: MIT
// The server over real sockets. Deadlines are http_connection_test.cpp.
#include "metricsd/http_server.h"

#include <sys/stat.h>

#include "common/access/secret_file.h"
#include "common/access/tls_certificate.h"
#include "common/music/permalink.h"
#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>

namespace auralis::http_server_test {
namespace {

using test::body_of;
using test::Connection;
using test::contains;
using test::http;
using test::status_of;

HttpLimits small_limits() {
  HttpLimits limits;
  limits.head_bytes = 512;
  limits.body_bytes = 64;
  return limits;
}

struct ServerFixture {
  HttpServer server{{"127.0.0.1", 0},
                    {{"/page",
                      [](const HttpRequest&) {
                        return HttpPage{"text/html", "a page", 200};
                      }},
                     {"/down",
                      [](const HttpRequest&) {
                        return HttpPage{HttpPage{}.type, "not ready", 503};
                      }},
                     {"/echo",
                      [](const HttpRequest& request) {
                        return HttpPage{HttpPage{}.type, query_fields(request.query)["say"], 200};
                      }},
                     {"/fails", [](const HttpRequest&) -> HttpPage { throw std::runtime_error("no page"); }}},
                    {"/events"},
                    small_limits()};

  std::string ask(const std::string& method, const std::string& path) const {
    return http(server.port(), method, path);
  }
  std::string send(const std::string& text) const { return Connection(server.port()).exchange(text); }
};

TEST_CASE_FIXTURE(ServerFixture, "HttpServer: answers GET with the page as it was made") {
  const std::string answer = ask("GET", "/page");
  CHECK(status_of(answer) == 200);
  CHECK(contains(answer, "Content-Type: text/html\r\n"));
  CHECK(contains(answer, "Content-Length: 6\r\n"));
  CHECK(body_of(answer) == "a page");
  CHECK(status_of(ask("GET", "/down")) == 503);
  CHECK(body_of(ask("GET", "/down")) == "not ready");
}

TEST_CASE_FIXTURE(ServerFixture, "HttpServer: a page gets the query, and one that cannot be read is 400") {
  CHECK(body_of(ask("GET", "/echo?a=b&say=one%20two")) == "one two");
  const std::string refused = ask("GET", "/echo?say=1&say=2");
  CHECK(status_of(refused) == 400);
  CHECK(contains(body_of(refused), "say must be given once"));
  CHECK(status_of(ask("GET", "/page?say=1&say=2")) == 200);
}

TEST_CASE_FIXTURE(ServerFixture, "HttpServer: subscribers get the newest event at once and all later ones") {
  server.publish("/events", "first");
  server.publish("/events", "newest");
  const Connection early(server.port());
  const std::string head = early.exchange_until("GET /events HTTP/1.1\r\nHost: a\r\n\r\n", "newest\n\n");
  CHECK(status_of(head) == 200);
  CHECK(contains(head, "Content-Type: text/event-stream\r\n"));
  CHECK(body_of(head) == "data: newest\n\n");
  const Connection late(server.port());
  late.exchange_until("GET /events HTTP/1.0\r\n\r\n", "newest\n\n");
  server.publish("/events", "later\nlast");
  for (const Connection* subscriber : {&early, &late}) {
    CHECK(subscriber->exchange_until("", "last\n\n") == "data: later\ndata: last\n\n");
  }
}

TEST_CASE("HttpServer: subscribers leave room for requests, however many come") {
  HttpLimits limits;
  limits.connections = 3;
  limits.subscribers = 2;
  HttpServer server({"127.0.0.1", 0}, {{"/", [](const HttpRequest&) { return HttpPage{}; }}}, {"/events"},
                    limits);
  server.publish("/events", "a");
  const Connection one(server.port());
  const Connection two(server.port());
  for (const Connection* subscriber : {&one, &two}) {
    CHECK(status_of(subscriber->exchange_until("GET /events HTTP/1.0\r\n\r\n", "a\n\n")) == 200);
  }
  CHECK(status_of(http(server.port(), "GET", "/events")) == 503);
  const Connection silent(server.port());
  for (int scrape = 0; scrape < 5; ++scrape) CHECK(status_of(http(server.port(), "GET", "/")) == 200);
  server.publish("/events", "b");
  for (const Connection* subscriber : {&one, &two}) {
    CHECK(subscriber->exchange_until("", "b\n\n") == "data: b\n\n");
  }
}

TEST_CASE_FIXTURE(ServerFixture, "HttpServer: HEAD gets the head that GET would, and no body") {
  const std::string answer = ask("HEAD", "/page");
  CHECK(status_of(answer) == 200);
  CHECK(contains(answer, "Content-Length: 6\r\n"));
  CHECK(body_of(answer).empty());
}

TEST_CASE_FIXTURE(ServerFixture, "HttpServer: 404 lists the pages that there are") {
  const std::string answer = ask("GET", "/other");
  CHECK(status_of(answer) == 404);
  CHECK(body_of(answer) == "No such page. Pages: /down /echo /fails /page /events\n");
}

TEST_CASE_FIXTURE(ServerFixture,
                  "HttpServer: another method gets 405, an unknown one 501, OPTIONS the methods") {
  for (const char* method : {"POST", "PUT", "DELETE"}) {
    const std::string answer = ask(method, "/page");
    CHECK_MESSAGE(status_of(answer) == 405, method);
    CHECK_MESSAGE(contains(answer, "Allow: GET, HEAD, OPTIONS\r\n"), method);
  }
  CHECK(status_of(ask("BREW", "/page")) == 501);
  const std::string options = ask("OPTIONS", "/page");
  CHECK(status_of(options) == 204);
  CHECK(contains(options, "Allow: GET, HEAD, OPTIONS\r\n"));
}

TEST_CASE_FIXTURE(ServerFixture, "HttpServer: a page that throws is 500, and the next request is served") {
  CHECK(status_of(ask("GET", "/fails")) == 500);
  CHECK(status_of(ask("GET", "/page")) == 200);
}

TEST_CASE_FIXTURE(ServerFixture, "HttpServer: a body beyond the limit is 413, announced or in chunks") {
  const std::string head = "GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
  const std::string most(64, 'x');
  CHECK(status_of(send(head + "Content-Length: 64\r\n\r\n" + most)) == 200);
  const std::string refused = send(head + "Content-Length: 65\r\n\r\n");
  CHECK(status_of(refused) == 413);
  CHECK(body_of(refused) == "Request body too large: the limit is 64 bytes.\n");
  const std::string chunks = head + "Transfer-Encoding: chunked\r\n\r\n40\r\n" + most + "\r\n";
  CHECK(status_of(send(chunks + "0\r\n\r\n")) == 200);
  CHECK(status_of(send(chunks + "1\r\nx\r\n0\r\n\r\n")) == 413);
}

TEST_CASE_FIXTURE(ServerFixture, "HttpServer: a head beyond the limit is 431, a request line 414") {
  const std::string line = "GET /page HTTP/1.1\r\nHost: a\r\n";
  CHECK(status_of(send(line + "X: " + std::string(512, 'x') + "\r\n\r\n")) == 431);
  CHECK(status_of(send("GET /" + std::string(512, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n")) == 414);
}

TEST_CASE_FIXTURE(ServerFixture, "HttpServer: what is malformed or of another version is refused") {
  CHECK(status_of(send("\x16\x03\x01")) == 400);
  CHECK(status_of(send("GET /page HTTP/1.1\r\n\r\n")) == 400);
  CHECK(status_of(send("GET /page HTTP/1.0\r\n\r\n")) == 200);
  const std::string other = send("GET /page HTTP/2.0\r\nHost: a\r\n\r\n");
  CHECK(status_of(other) == 505);
  CHECK(body_of(other) == "Only HTTP/1.1 and HTTP/1.0 are supported.\n");
}

TEST_CASE_FIXTURE(ServerFixture,
                  "HttpServer: a connection serves one request after the other, in their order") {
  const std::string answers =
      send("GET /page HTTP/1.1\r\nHost: a\r\n\r\nGET /down HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::size_t second = answers.find("HTTP/1.1 503");
  CHECK(status_of(answers) == 200);
  REQUIRE(second != std::string::npos);
  CHECK(answers.find("a page") < second);
}

TEST_CASE("HttpServer: one connection more than the limit closes the oldest") {
  HttpLimits limits;
  limits.connections = 1;
  const HttpServer server({"127.0.0.1", 0}, {{"/", [](const HttpRequest&) { return HttpPage{}; }}}, {},
                          limits);
  const Connection oldest(server.port());
  CHECK(status_of(http(server.port(), "GET", "/")) == 200);
  CHECK(oldest.exchange("GET / HTTP/1.0\r\n\r\n").empty());
}

TEST_CASE("HttpServer: with a password, nothing but /healthz is answered without it") {
  const test::TempDir folder;
  HttpEndpoint endpoint{"127.0.0.1", 0};
  endpoint.password_file = (folder.path() / "password").string();
  test::write_file(endpoint.password_file, "open-sesame-open\n");
  test::require(::chmod(endpoint.password_file.c_str(), 0600) == 0, "chmod");
  const auto page = [](const HttpRequest&) { return HttpPage{}; };
  HttpServer server(endpoint, {{"/", page}, {"/healthz", page}}, {"/events"});
  server.publish("/events", "secret");
  const auto ask = [&](const std::string& target, const std::string& credentials) {
    return Connection(server.port())
        .exchange("GET " + target + " HTTP/1.0\r\nAuthorization: " + credentials + "\r\n\r\n");
  };
  const std::string right = "Basic YXVyYWxpczpvcGVuLXNlc2FtZS1vcGVu";
  CHECK(status_of(ask("/", right)) == 200);
  CHECK(status_of(ask("/nothing", right)) == 404);
  for (const char* target : {"/", "/nothing", "/events", "/healthz/", "/./healthz"}) {
    for (const std::string wrong : {"", "Basic YXVyYWxpczpvcGVu", "Bearer open-sesame-open"}) {
      const std::string refused = ask(target, wrong);
      CHECK_MESSAGE(status_of(refused) == 401, target);
      CHECK(contains(refused, "WWW-Authenticate: Basic realm=\"auralis\""));
      CHECK(body_of(refused) == "User and password required (password_file).\n");
    }
  }
  CHECK(status_of(ask("/healthz", "")) == 200);
}

TEST_CASE("HttpServer: a file that cannot be used is an error at once") {
  HttpEndpoint endpoint{"127.0.0.1", 0};
  endpoint.password_file = "/missing";
  CHECK_THROWS_AS(HttpServer(endpoint, {}), SecretError);
  endpoint.password_file.clear();
  endpoint.tls_certificate = endpoint.tls_key = "/missing";
  CHECK_THROWS_AS(HttpServer(endpoint, {}), TlsError);
}

TEST_CASE("HttpServer: a port that is taken is an error at once") {
  const HttpServer server({"localhost", 0}, {});
  CHECK_THROWS_AS(HttpServer({"127.0.0.1", server.port()}, {}), std::runtime_error);
}

TEST_CASE("HttpServer: ends while clients are connected, and closes their connections") {
  std::optional<HttpServer> server;
  server.emplace(HttpEndpoint{"127.0.0.1", 0}, HttpPages{});
  const int port = server->port();
  const Connection client(port);
  CHECK(client.open());
  server.reset();
  CHECK(client.exchange("GET / HTTP/1.0\r\n\r\n").empty());
  CHECK_FALSE(Connection(port).open());
}

}  // namespace
}  // namespace auralis::http_server_test
