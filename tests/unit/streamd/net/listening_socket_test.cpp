// SPDX-License-Identifier: MIT
#include "streamd/net/listening_socket.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace auralis::listening_socket_test {
namespace {

// Of a listening socket.
std::uint16_t port_of(const FileDescriptor& socket) {
  sockaddr_in6 address{};
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin6_port);  // as in a sockaddr_in
}

TEST_CASE("open_listening_socket: listens without blocking, at the address that it names") {
  const ListeningSocket listening = open_listening_socket("127.0.0.1", 0);
  CHECK(listening.address == "127.0.0.1:0");
  CHECK_FALSE(listening.of_systemd);
  CHECK(port_of(listening.socket) != 0);
  CHECK((::fcntl(listening.socket.get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK(open_listening_socket("::1", 0).address == "[::1]:0");
  CHECK(open_listening_socket("localhost", 0).address == "localhost:0");
}

TEST_CASE(
    "open_listening_socket: a port that is taken, and a host that is no address, are errors with a remedy") {
  const ListeningSocket taken = open_listening_socket("127.0.0.1", 0);
  const std::uint16_t port = port_of(taken.socket);
  CHECK_THROWS_WITH_AS(open_listening_socket("127.0.0.1", port),
                       doctest::Contains("is the port taken? Choose another with --port"), ListenError);
  CHECK_THROWS_WITH_AS(open_listening_socket("example.org", 8000),
                       "cannot listen on example.org:8000: the host is not an IP address", ListenError);
}

}  // namespace
}  // namespace auralis::listening_socket_test
