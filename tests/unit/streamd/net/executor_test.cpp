// SPDX-License-Identifier: MIT
// A network thread's queue of work, as the proxies of streamd/control rely on it.
#include "streamd/net/executor.h"

#include <doctest/doctest.h>

#include <vector>

#include "streamd/net/websocket_server.h"
#include "tests/unit/support.h"

namespace auralis::executor_test {
namespace {

class NoConnections final : public ConnectionEvents {
 public:
  Admission admit(ConnectionId, const HttpRequest&, const std::vector<std::string>&) override { return {}; }
  void opened(ConnectionId, MessageSink&) override {}
  void text(ConnectionId, std::string_view) override {}
  void binary(ConnectionId) override {}
  void alive(ConnectionId, std::optional<std::int64_t>) override {}
  void progressed(ConnectionId) override {}
  void written(ConnectionId) override {}
  void write_failed(ConnectionId) override {}
  void closed(ConnectionId, ConnectionEnd) override {}
  void timed_out() override {}
  std::optional<HttpResponse> http(ConnectionId, const HttpRequest&) override { return std::nullopt; }
};

TEST_CASE("work posted on the network's own thread runs in order, and never within the call") {
  const test::ManualClock clock;
  WebSocketServer server{ServerLimits{}, nullptr, clock};
  NoConnections events;
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
