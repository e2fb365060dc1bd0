// SPDX-License-Identifier: MIT
// A network thread's queue of work, as the proxies of streamd/control rely on it.
#include "streamd/net/executor.h"

#include <doctest/doctest.h>

#include <vector>

#include "streamd/net/websocket_server.h"
#include "tests/unit/streamd/net/no_connections.h"
#include "tests/unit/support.h"

namespace auralis::executor_test {
namespace {

TEST_CASE("work posted on the network's own thread runs in order, and never within the call") {
  const test::ManualClock clock;
  WebSocketServer server{ServerLimits{}, nullptr, clock};
  test::NoConnections events;
  std::vector<int> order;
  server.post([&] {
    server.post([&] { order.push_back(3); });
    server.post([&] {
      order.push_back(4);
      server.finish();
    });
    order.push_back(1);
  });
  server.post([&] { order.push_back(2); });
  server.run(events);
  CHECK(order == std::vector<int>{1, 2, 3, 4});
}

}  // namespace
}  // namespace auralis::executor_test
