// SPDX-License-Identifier: MIT
// The events of a server for tests of something else: nothing is admitted, and nothing happens.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streamd/net/connection_events.h"

namespace auralis::test {

class NoConnections : public ConnectionEvents {
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

}  // namespace auralis::test
