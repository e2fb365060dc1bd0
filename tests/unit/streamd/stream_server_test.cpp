// SPDX-License-Identifier: MIT
// streamd as a whole, over real sockets; what it serves to whom is tested part by part and by the integration
// tests.
#include "streamd/stream_server.h"

#include "common/segments/segment.h"
#include "streamd/net/listening_socket.h"
#include "tests/unit/streamd/support.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace auralis::stream_server_test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A listening socket on a port that was free.
class TakenPort {
 public:
  TakenPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    test::require(::bind(socket_, any, size) == 0 && ::listen(socket_, 1) == 0, "listen");
    test::require(::getsockname(socket_, any, &size) == 0, "getsockname");
    port_ = ntohs(address.sin_port);
  }
  ~TakenPort() { ::close(socket_); }
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

class Client {
 public:
  explicit Client(std::int64_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const sockaddr_in server = loopback(static_cast<std::uint16_t>(port));
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&server), sizeof server) == 0;
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  void send(const std::string& bytes) const {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    test::require(sent == static_cast<ssize_t>(bytes.size()), "send");
  }
  // So many bytes; fewer where the connection ends.
  std::string receive(std::size_t bytes) const {
    std::string all(bytes, '\0');
    const ssize_t got = bytes == 0 ? 0 : ::recv(socket_, all.data(), bytes, MSG_WAITALL);
    test::require(got >= 0, "recv");
    all.resize(static_cast<std::size_t>(got));
    return all;
  }
  std::string receive_head() const {
    std::string head;
    while (head.size() < 4 || head.compare(head.size() - 4, 4, "\r\n\r\n") != 0) {
      const std::string byte = receive(1);
      if (byte.empty()) break;
      head += byte;
    }
    return head;
  }

 private:
  int socket_;
  bool connected_ = false;
};

// Status and body of a GET.
std::pair<std::string, std::string> get(std::int64_t port, const std::string& path) {
  const Client client(port);
  client.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string head = client.receive_head();
  std::string body;
  for (std::string byte; !(byte = client.receive(1)).empty();) body += byte;
  return {head.substr(head.find(' ') + 1, 3), body};
}

struct Frame {
  unsigned opcode = 0;
  std::string payload;
};

// The server's next frame of WebSocket (RFC 6455).
Frame receive_frame(const Client& client) {
  const auto number = [&](std::size_t bytes) {
    std::size_t value = 0;
    for (const char byte : client.receive(bytes)) value = value << 8U | static_cast<unsigned char>(byte);
    return value;
  };
  const auto opcode = static_cast<unsigned>(number(1) & 0x0FU);
  std::size_t length = number(1);
  if (length == 126) length = number(2);
  if (length == 127) length = number(8);
  return {opcode, client.receive(length)};
}

// Reads as a listener does until the server closes, and answers that; the code of the close frame.
unsigned listen_until_closed(const Client& client) {
  constexpr unsigned kCloseFrame = 8;
  for (int frames = 0; frames < 1'000; ++frames) {
    const Frame frame = receive_frame(client);
    if (frame.opcode != kCloseFrame || frame.payload.size() < 2) continue;
    client.send(std::string("\x88\x82\0\0\0\0", 6) + frame.payload.substr(0, 2));
    return static_cast<unsigned char>(frame.payload[0]) * 256U + static_cast<unsigned char>(frame.payload[1]);
  }
  return 0;
}

class ServerFixture {
 public:
  ServerFixture() {
    config.runtime.dir = folder.path().string();
    config.streamd.host = "127.0.0.1";
    config.streamd.threads = 2;
    config.streamd.encoding_threads = 1;
    config.streamd.drain_ms = 0;
  }

  // On a port that is free: another process may take it first.
  StreamServer& open(const Clock& clock) {
    for (int attempt = 0; !server && attempt < 20; ++attempt) {
      config.streamd.port = TakenPort().port();
      try {
        server = std::make_unique<StreamServer>(config, clock);
      } catch (const ListenError&) {
        continue;
      }
    }
    REQUIRE(server);
    return *server;
  }
  // `failed` gets the error of a thread that fails.
  StreamServer& start() {
    open(system_clock).start([this](const std::string& why) { failed.set_value(why); });
    return *server;
  }

  test::TempDir folder;
  Config config;
  SystemClock system_clock;
  std::promise<std::string> failed;
  std::unique_ptr<StreamServer> server;
};

TEST_CASE_FIXTURE(ServerFixture,
                  "StreamServer: serves HTTP from start() on, and says that no audio flows yet") {
  start();
  CHECK(get(config.streamd.port, "/healthz") == std::pair<std::string, std::string>{"200", "ok\n"});
  CHECK(get(config.streamd.port, "/readyz").first == "503");
  CHECK(get(config.streamd.port, "/nowhere").first == "404");
  CHECK_NOTHROW(server->run_housekeeping());
  CHECK(failed.get_future().wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
}

TEST_CASE_FIXTURE(ServerFixture,
                  "StreamServer: is healthy while the thread that delivers audio takes its steps") {
  test::ManualClock clock;
  open(clock);
  CHECK(server->healthy());
  clock.now += SegmentReader::kHungAfterNs;
  CHECK_FALSE(server->healthy());
  server->start([](const std::string&) {});
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!server->healthy() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  CHECK(server->healthy());
  server->stop();
  clock.now += SegmentReader::kHungAfterNs;
  CHECK_FALSE(server->healthy());
}

TEST_CASE_FIXTURE(ServerFixture, "StreamServer: stop() closes listeners as going away, and returns") {
  start();  // without synthd a listener waits for its station, connected
  const Client listener(config.streamd.port);
  listener.send(
      "GET /ws/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  REQUIRE(listener.receive_head().find(" 101 ") != std::string::npos);
  // The reply shows that the worker has opened the session.
  listener.send(std::string("\x81\x82\0\0\0\0{}", 8));
  CHECK(receive_frame(listener).payload.find("\"error\"") != std::string::npos);
  auto code = std::async(std::launch::async, [&] { return listen_until_closed(listener); });
  server->stop();
  CHECK(code.get() == 1001);
}

TEST_CASE_FIXTURE(ServerFixture, "StreamServer: its destruction frees its port and its segments' locks") {
  start();
  CHECK(get(config.streamd.port, "/healthz").first == "200");
  server.reset();
  CHECK_FALSE(Client(config.streamd.port).connected());
  CHECK_NOTHROW(open(system_clock));
}

TEST_CASE_FIXTURE(ServerFixture, "StreamServer: a port that is taken is a ListenError that names it") {
  const TakenPort taken;
  config.streamd.port = taken.port();
  try {
    const StreamServer refused(config, system_clock);
    FAIL("not refused");
  } catch (const ListenError& error) {
    CHECK(std::string(error.what()).find("127.0.0.1:" + std::to_string(taken.port())) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(ServerFixture, "StreamServer: a second one in the same runtime folder is refused") {
  open(system_clock);
  Config same = config;
  same.streamd.port = TakenPort().port();
  CHECK_THROWS_AS(StreamServer(same, system_clock), SegmentError);
}

}  // namespace
}  // namespace auralis::stream_server_test
