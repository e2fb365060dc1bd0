// SPDX-License-Identifier: MIT
#include "streamd/net/acceptor.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <utility>

#include "streamd/net/listening_socket.h"
#include "streamd/net/websocket_server.h"
#include "tests/unit/streamd/net/no_connections.h"
#include "tests/unit/streamd/support.h"

namespace auralis::acceptor_test {
namespace {

sockaddr_in loopback(const std::string& address, std::uint16_t port) {
  sockaddr_in endpoint{};
  endpoint.sin_family = AF_INET;
  endpoint.sin_port = htons(port);
  test::require(inet_pton(AF_INET, address.c_str(), &endpoint.sin_addr) == 1, "socket");
  return endpoint;
}

// A connection from that address of this machine's own network, all of which is loopback.
class Client {
 public:
  Client(const std::string& from, std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval limit{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const sockaddr_in own = loopback(from, 0);
    test::require(::bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0, "socket");
    const sockaddr_in server = loopback("127.0.0.1", port);
    test::require(::connect(socket_, reinterpret_cast<const sockaddr*>(&server), sizeof server) == 0,
                  "socket");
  }
  Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  Client& operator=(Client&&) = delete;
  ~Client() {
    if (socket_ >= 0) ::close(socket_);
  }

  // All that comes of `GET /` until the connection ends.
  std::string answer() const {
    const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    std::string all;
    std::array<char, 512> piece{};
    for (ssize_t got = 0; (got = ::recv(socket_, piece.data(), piece.size(), 0)) > 0;)
      all.append(piece.data(), static_cast<std::size_t>(got));
    return all;
  }
  void reset_at_close() const {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  bool let_in() const { return answer().find("let in") != std::string::npos; }

 private:
  int socket_;
};

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in endpoint = loopback("127.0.0.1", 0);
  socklen_t size = sizeof endpoint;
  test::require(::bind(socket, reinterpret_cast<const sockaddr*>(&endpoint), size) == 0, "socket");
  test::require(::getsockname(socket, reinterpret_cast<sockaddr*>(&endpoint), &size) == 0, "socket");
  ::close(socket);
  return ntohs(endpoint.sin_port);
}

// Answers every request.
class Greeter final : public test::NoConnections {
 public:
  Admission admit(ConnectionId, const HttpRequest&, const std::vector<std::string>&) override {
    return {404, {}, {}, {}, {}};
  }
  std::optional<HttpResponse> http(ConnectionId, const HttpRequest&) override {
    return text_response(200, "let in");
  }
};

class Server {
  test::OwnMetrics own_metrics_;

 public:
  Server(const Acceptor::Limits& limits, std::function<bool(const IpAddress&)> exempt, bool tls = false)
      : acceptor_(listening_.socket, limits, std::move(exempt), tls, clock, own_metrics_.metrics,
                  grouped_log_),
        thread_([this] { server_.run(greeter_); }) {
    acceptor_.start({&server_});
  }
  ~Server() {
    server_.finish();
    thread_.join();
  }
  void stop_accepting() { acceptor_.stop(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  double rejected(const std::string& reason) const {
    return own_metrics_.sample("websocket_connections_rejected_total", reason).value;
  }

  test::ManualClock clock;
  const std::uint16_t port = free_port();

 private:
  AccessPolicy access_{Config{}};
  GroupedLog grouped_log_{access_};
  Greeter greeter_;
  ListeningSocket listening_ = open_listening_socket("127.0.0.1", port);
  WebSocketServer server_{ServerLimits{}, nullptr, clock};
  Acceptor acceptor_;
  std::thread thread_;
};

bool none_trusted(const IpAddress&) { return false; }

TEST_CASE("connections of one address leave room for those of others") {
  Server server({{10, 2}, 100, 100, 100}, none_trusted);
  const Client first("127.0.0.1", server.port);
  {
    const Client second("127.0.0.1", server.port);
    CHECK(Client("127.0.0.1", server.port).answer().rfind("HTTP/1.1 503 ", 0) == 0);
    CHECK(Client("127.0.0.2", server.port).let_in());
    CHECK(server.rejected("address") == 1);
    CHECK(second.let_in());
  }
  // Its permit is free again once the server has seen its end.
  bool free = false;
  for (int attempt = 0; attempt < 10'000 && !free; ++attempt)
    free = Client("127.0.0.1", server.port).let_in();
  CHECK(free);
  CHECK(first.let_in());
  CHECK(server.rejected("limit") == 0);
}

TEST_CASE("connections of a proxy and of this machine stand for many") {
  Server server({{10, 1}, 100, 100, 100}, [](const IpAddress& peer) { return peer.is_loopback(); });
  const Client first("127.0.0.1", server.port);
  CHECK(Client("127.0.0.1", server.port).let_in());
  CHECK(first.let_in());
}

TEST_CASE("a connection beyond the total limit is refused, from any address") {
  Server server({{1, 1}, 100, 100, 100}, [](const IpAddress& peer) { return peer.is_loopback(); });
  const Client first("127.0.0.1", server.port);
  const std::string answer = Client("127.0.0.2", server.port).answer();
  CHECK(answer.rfind("HTTP/1.1 503 ", 0) == 0);
  CHECK(answer.find("\r\nRetry-After: ") != std::string::npos);
  CHECK(server.rejected("limit") == 1);
  CHECK(first.let_in());
}

TEST_CASE("new connections are bounded a second, and an address that has too many takes nothing of it") {
  Server server({{10, 1}, 2, 100, 100}, none_trusted);
  const Client first("127.0.0.1", server.port);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(Client("127.0.0.1", server.port).let_in());
  CHECK(server.rejected("address") == 5);
  CHECK(Client("127.0.0.2", server.port).let_in());
  CHECK_FALSE(Client("127.0.0.3", server.port).let_in());
  CHECK(server.rejected("rate") == 1);
  server.clock.now += kNsPerSecond / 2;
  CHECK(Client("127.0.0.3", server.port).let_in());
  CHECK_FALSE(Client("127.0.0.4", server.port).let_in());
}

TEST_CASE("an address that connects again and again uses up its own share, and nothing of what others have") {
  Server server({{100, 100}, 20, 5, 1}, none_trusted);
  int let_in = 0;
  // Each is reset rather than closed in order, as a port scanner does.
  for (int i = 0; i < 50; ++i) {
    const Client client("127.0.0.1", server.port);
    client.reset_at_close();
    let_in += client.let_in() ? 1 : 0;
  }
  CHECK(let_in == 10);
  CHECK(server.rejected("address_rate") == 40);
  for (const char* other : {"127.0.0.2", "127.0.0.3", "127.0.0.4"})
    CHECK(Client(other, server.port).let_in());
  CHECK(server.rejected("rate") == 0);
  server.clock.now += kNsPerSecond / 5;
  CHECK(Client("127.0.0.1", server.port).let_in());
  CHECK_FALSE(Client("127.0.0.1", server.port).let_in());
}

TEST_CASE("this machine and its proxies have no share of their own, and all of what there is") {
  Server server({{100, 1}, 20, 1, 1}, [](const IpAddress& peer) { return peer.is_loopback(); });
  for (int i = 0; i < 20; ++i) CHECK(Client("127.0.0.1", server.port).let_in());
  CHECK_FALSE(Client("127.0.0.1", server.port).let_in());
  CHECK(server.rejected("rate") == 1);
  CHECK(server.rejected("address_rate") == 0);
}

TEST_CASE(
    "TLS handshakes per second are limited in total; connections beyond the limit are closed without an "
    "answer") {
  Server server(
      {{100, 100}, 100, 100, 3}, [](const IpAddress& peer) { return peer.is_loopback(); }, true);
  for (int i = 0; i < 3; ++i) CHECK(Client("127.0.0.1", server.port).let_in());
  for (int i = 0; i < 4; ++i) CHECK(Client("127.0.0.2", server.port).answer().empty());
  CHECK(server.rejected("tls_rate") == 4);
  server.clock.now += kNsPerSecond / 3 + 1;
  CHECK(Client("127.0.0.2", server.port).let_in());
}

}  // namespace
}  // namespace auralis::acceptor_test
