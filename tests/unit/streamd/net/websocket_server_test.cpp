// SPDX-License-Identifier: MIT
// A worker's server without a running loop; integration tests talk to a running one.
#include "streamd/net/websocket_server.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <optional>

#include "common/base/clock.h"

namespace auralis::websocket_server_test {
namespace {

TEST_CASE("a connection that was handed to a worker which does not run any more is closed") {
  std::array<int, 2> sockets{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) == 0);
  const FileDescriptor client(sockets[0]);
  const auto hold = std::make_shared<int>();
  const SystemClock clock;
  std::optional<WebSocketServer> server(std::in_place, ServerLimits{}, nullptr, clock);
  server->add_connection(FileDescriptor(sockets[1]), IpAddress{}, hold);
  CHECK(hold.use_count() == 2);
  server.reset();
  CHECK(hold.use_count() == 1);
  char byte = 0;
  CHECK(::recv(client.get(), &byte, 1, MSG_DONTWAIT) == 0);
}

}  // namespace
}  // namespace auralis::websocket_server_test
