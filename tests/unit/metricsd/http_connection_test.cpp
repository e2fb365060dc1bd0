// SPDX-License-Identifier: MIT
// Deadlines and age of one connection, whose ticks the test makes. What it answers is http_server_test.cpp.
#include "metricsd/http_connection.h"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <functional>
#include <string>

namespace auralis::http_connection_test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using State = HttpConnection::State;

constexpr const char* kSubscribe = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n";

class ConnectionFixture {
 public:
  ConnectionFixture() {
    shared.pages["/"] = [](const HttpRequest&) { return HttpPage{}; };
    shared.newest_events = {{"/events", nullptr}, {"/others", nullptr}};
    shared.limits.head = 4 * HttpConnection::kTick;
    shared.limits.answer = 6 * HttpConnection::kTick;
    shared.limits.idle = 8 * HttpConnection::kTick;
    tcp::acceptor acceptor(context_, {asio::ip::address_v4::loopback(), 0});
    client_.connect(acceptor.local_endpoint());
    connection = std::make_shared<HttpConnection>(acceptor.accept(), shared);
    connection->start();
  }

  State state() const { return std::get<0>(connection->age()); }

  void send(const std::string& text) { asio::write(client_, asio::buffer(text)); }

  // Serves until it is so; false if it never is.
  bool await(const std::function<bool()>& reached) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!reached() && std::chrono::steady_clock::now() < until) {
      context_.restart();
      context_.run_one_for(std::chrono::milliseconds(20));
    }
    return reached();
  }
  bool await(State wanted) {
    return await([&] { return state() == wanted; });
  }
  // Sends, and serves until it has been received.
  bool deliver(const std::string& text) {
    const auto before = connection->age();
    send(text);
    return await([&] { return connection->age() != before; });
  }

  // Serves the next thing that happens.
  void serve_one() {
    context_.restart();
    REQUIRE(context_.run_one_for(std::chrono::seconds(20)) == 1);
  }

  // Serves what is ready.
  void poll() {
    context_.restart();
    context_.poll();
  }

  void leave() { client_.close(); }

  // Lets that much running time pass.
  void pass(std::chrono::milliseconds time) {
    for (auto ticks = time / HttpConnection::kTick; ticks > 0; --ticks) connection->tick();
  }

  // Sends a request and reads up to the end of the head of the answer, which it returns.
  std::string head(const std::string& request) {
    send(request);
    std::string text;
    REQUIRE(await([&] {
      std::string part(client_.available(), ' ');
      asio::read(client_, asio::buffer(part));
      text += part;
      return text.find("\r\n\r\n") != std::string::npos;
    }));
    return text;
  }

  // All that is sent until the end of the connection.
  std::string rest() {
    std::string text;
    boost::system::error_code end;
    asio::read(client_, asio::dynamic_buffer(text), end);
    return text;
  }

  HttpShared shared;

 private:
  asio::io_context context_{1};
  tcp::socket client_{context_};

 public:
  std::shared_ptr<HttpConnection> connection;
};

TEST_CASE_FIXTURE(ConnectionFixture, "HttpConnection: a request that does not arrive in time gets 408") {
  REQUIRE(deliver("GET / HT"));
  pass(shared.limits.head);
  CHECK(state() == State::kReceiving);
  connection->tick();
  REQUIRE(await(State::kClosing));
  CHECK(rest().substr(0, 12) == "HTTP/1.1 408");
}

TEST_CASE_FIXTURE(ConnectionFixture, "HttpConnection: bytes that trickle in do not extend the deadline") {
  REQUIRE(deliver("GET / HTTP/1.1\r\n"));
  for (int tick = 0; tick < 5; ++tick) {
    CHECK(state() == State::kReceiving);
    send("A: b\r\n");
    serve_one();
    connection->tick();
  }
  CHECK(state() == State::kAnswering);
}

TEST_CASE_FIXTURE(ConnectionFixture,
                  "HttpConnection: a client that asks for nothing is cut off without a word") {
  pass(shared.limits.head);
  CHECK(connection->open());
  connection->tick();
  REQUIRE_FALSE(connection->open());
  CHECK(rest().empty());
}

TEST_CASE_FIXTURE(ConnectionFixture,
                  "HttpConnection: between requests it is closed once it is idle too long") {
  REQUIRE(deliver("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  REQUIRE(await(State::kIdle));
  pass(shared.limits.idle);
  CHECK(connection->open());
  connection->tick();
  CHECK_FALSE(connection->open());
}

TEST_CASE_FIXTURE(ConnectionFixture, "HttpConnection: a client that takes no answer is cut off") {
  const std::string large(std::size_t{16} << 20U, 'x');
  shared.pages["/large"] = [&](const HttpRequest&) { return HttpPage{HttpPage{}.type, large, 200}; };
  send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(await(State::kAnswering));
  pass(shared.limits.answer);
  CHECK(connection->open());
  connection->tick();
  CHECK_FALSE(connection->open());
}

TEST_CASE_FIXTURE(ConnectionFixture, "HttpConnection: after a refusal it closes, at latest after a while") {
  REQUIRE(deliver("nonsense\r\n"));
  REQUIRE(await(State::kClosing));
  CHECK(connection->open());
  pass(std::chrono::milliseconds(2'000));
  CHECK(connection->open());
  connection->tick();
  CHECK_FALSE(connection->open());
}

TEST_CASE_FIXTURE(ConnectionFixture, "HttpConnection: a subscriber is not closed for being silent") {
  CHECK(head(kSubscribe).substr(0, 12) == "HTTP/1.1 200");
  CHECK(shared.subscribers == 1);
  pass(2 * shared.limits.idle);
  CHECK(state() == State::kStreaming);
  send("more, which is ignored");
  serve_one();
  CHECK(state() == State::kStreaming);
}

TEST_CASE_FIXTURE(ConnectionFixture, "HttpConnection: a subscriber that leaves is one fewer") {
  head(kSubscribe);
  leave();
  CHECK(await([&] { return !connection->open(); }));
  CHECK(shared.subscribers == 0);
}

TEST_CASE_FIXTURE(ConnectionFixture,
                  "HttpConnection: a subscriber that does not read is closed, not waited for") {
  head(kSubscribe);
  const auto event = std::make_shared<const std::string>(std::size_t{1} << 20U, 'x');
  connection->push("/others", event);
  CHECK(event.use_count() == 1);
  // Kernels hold a few megabytes at most.
  for (int sent = 0; sent < 64 && connection->open(); ++sent) {
    CHECK(event.use_count() <= static_cast<long>(shared.limits.waiting_events) + 2);
    connection->push("/events", event);
    poll();
  }
  CHECK_FALSE(connection->open());
  CHECK(shared.subscribers == 0);
}

TEST_CASE_FIXTURE(ConnectionFixture, "HttpConnection: a subscriber more than the limit gets 503") {
  shared.limits.subscribers = 0;
  CHECK(head(kSubscribe).substr(0, 12) == "HTTP/1.1 503");
}

TEST_CASE("HttpConnection: makes room before another by its state, then by how long it has been in it") {
  ConnectionFixture streaming;
  ConnectionFixture receiving;
  ConnectionFixture idle;
  ConnectionFixture closing;
  REQUIRE(streaming.deliver(kSubscribe));
  REQUIRE(receiving.deliver("GET /"));
  REQUIRE(idle.deliver("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  REQUIRE(idle.await(State::kIdle));
  REQUIRE(closing.deliver("nonsense\r\n"));
  REQUIRE(closing.await(State::kClosing));
  CHECK(closing.connection->age() < idle.connection->age());
  CHECK(idle.connection->age() < receiving.connection->age());
  CHECK(receiving.connection->age() < streaming.connection->age());
  const auto before = idle.connection->age();
  REQUIRE(idle.deliver("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  REQUIRE(idle.await(State::kIdle));
  CHECK(before < idle.connection->age());
}

}  // namespace
}  // namespace auralis::http_connection_test
