// SPDX-License-Identifier: MIT
// A server whose answers the test writes by hand: one connection on loopback, and the listener's epoll, all
// on the test's thread.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/unit/support.h"
#include "tools/load/listener.h"
#include "tools/stream_url.h"

namespace auralis::test {

class ScriptedServer {
 public:
  ScriptedServer() : acceptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto* const address = reinterpret_cast<sockaddr_in*>(&address_.address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address_.size = sizeof *address;
    auto* const any = reinterpret_cast<sockaddr*>(address);
    require(::bind(acceptor_, any, address_.size) == 0 && ::listen(acceptor_, 4) == 0, "listen");
    require(::getsockname(acceptor_, any, &address_.size) == 0, "getsockname");
  }
  ~ScriptedServer() {
    hang_up();
    stop_accepting();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  const ServerAddress& address() const { return address_; }
  std::string port() const {
    return std::to_string(ntohs(reinterpret_cast<const sockaddr_in*>(&address_.address)->sin_port));
  }

  // From then on connections are refused.
  void stop_accepting() {
    if (acceptor_ >= 0) ::close(acceptor_);
    acceptor_ = -1;
  }

  void accept() {
    connection_ = ::accept4(acceptor_, nullptr, nullptr, SOCK_CLOEXEC);
    require(connection_ >= 0, "accept");
  }

  // Returns what the listener has sent, at least one byte of it.
  std::string read() const {
    std::array<char, 4'096> buffer{};
    const ssize_t got = ::recv(connection_, buffer.data(), buffer.size(), 0);
    require(got >= 0, "recv");
    return {buffer.data(), static_cast<std::size_t>(got)};
  }

  void write(const std::string& bytes) const {
    require(
        ::send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()),
        "send");
  }

  void hang_up() {
    if (connection_ >= 0) ::close(connection_);
    connection_ = -1;
  }

 private:
  int acceptor_;
  int connection_ = -1;
  ServerAddress address_;
};

// Waits for the next event of a listener, and hands it on.
inline void deliver_event(int epoll) {
  epoll_event event{};
  require(::epoll_wait(epoll, &event, 1, 5'000) == 1, "no event of the listener");
  static_cast<Listener*>(event.data.ptr)->on_event();
}

}  // namespace auralis::test
