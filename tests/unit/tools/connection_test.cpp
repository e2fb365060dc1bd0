// SPDX-License-Identifier: MIT
#include "tools/connection.h"

#include "tests/unit/tools/load/scripted_server.h"

#include <doctest/doctest.h>

#include <future>

namespace auralis::connection_test {

using namespace test;

namespace {

std::int64_t soon() { return SystemClock().now_ns() + 30 * kNsPerSecond; }
StreamUrl url_of(const ScriptedServer& server) {
  return parse_stream_url("ws://127.0.0.1:" + server.port() + "/ws/stream");
}

// The client's end of a GET that the server answers with `answer`.
std::string got(const std::string& answer, std::string* request = nullptr) {
  ScriptedServer server;
  auto client =
      std::async(std::launch::async, [&] { return http_get(url_of(server), "/api/status", soon()); });
  server.accept();
  const std::string asked = server.read();
  if (request != nullptr) *request = asked;
  server.write(answer);
  server.hang_up();
  return client.get();
}

}  // namespace

TEST_CASE("bytes arrive, then the end of the connection") {
  ScriptedServer server;
  Connection connection(url_of(server), soon());
  server.accept();
  connection.send("hello");
  CHECK(server.read() == "hello");
  server.write("well");
  std::string bytes;
  CHECK(connection.receive(bytes, soon()) == Connection::Arrival::kBytes);
  CHECK(bytes == "well");
  CHECK(connection.receive(bytes, 0) == Connection::Arrival::kDeadline);
  server.hang_up();
  CHECK(connection.receive(bytes, soon()) == Connection::Arrival::kClosed);
}

TEST_CASE("an address where nothing listens is an error that names it") {
  ScriptedServer server;
  const StreamUrl url = url_of(server);
  server.stop_accepting();
  CHECK_THROWS_WITH_AS(Connection(url, soon()), (url.authority() + ": Connection refused").c_str(),
                       ConnectionError);
}

TEST_CASE("the body of an answer is what follows its head") {
  std::string request;
  CHECK(got("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{\"a\":\r\n\r\n1}", &request) ==
        "{\"a\":\r\n\r\n1}");
  CHECK(request.find("GET /api/status HTTP/1.0\r\nHost: 127.0.0.1:") == 0);
}

TEST_CASE("an answer other than 200 is an error with its first line, escaped") {
  CHECK_THROWS_WITH_AS(got("HTTP/1.1 404 Not Found\r\n\r\nNo \x1b such station.\nmore"),
                       "GET /api/status: HTTP 404 \"No \\u001b such station.\"", ConnectionError);
  CHECK_THROWS_WITH_AS(got("SSH-2.0-x\r\n\r\n"), "GET /api/status: the answer is not HTTP", ConnectionError);
  CHECK_THROWS_WITH_AS(got(""), "GET /api/status: the answer is not HTTP", ConnectionError);
  CHECK_THROWS_WITH_AS(got("HTTP/1.1 200 OK\r\n\r\n" + std::string(1'100'000, 'x')),
                       "GET /api/status: the answer is too long", ConnectionError);
}

}  // namespace auralis::connection_test
