// SPDX-License-Identifier: MIT
// A network thread's connections: WebSocket and HTTP, plain or over TLS, on sockets that the Acceptor hands
// over. Its sources are the only files of the project that see websocketpp and Asio.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/access/ip_address.h"
#include "common/base/clock.h"
#include "streamd/net/connection_events.h"
#include "streamd/net/worker_network.h"

namespace auralis {

class TlsCertificate;

struct ServerLimits {
  std::int64_t handshake_timeout_ms =
      5'000;  // to receive a whole request, and again for the client to read the answer
  std::size_t message_bytes = 4'096;  // of a message, and of a request's body
  std::size_t header_bytes = 8'192;   // of a request
  std::size_t read_at_once = 8'192;   // read quota of a connection after its request, per 100 ms
};

// run() is the worker's thread. Everything else but add_connection(), post() and finish() is called on it, or
// before it runs.
class WebSocketServer final : public WorkerNetwork {
 public:
  // `clock` outlives it. Without `certificate` connections are not encrypted.
  WebSocketServer(const ServerLimits& limits, std::shared_ptr<const TlsCertificate> certificate,
                  const Clock& clock);
  ~WebSocketServer() override;

  const ProcessTime& process_time() const override;

  // Calls `step` when the moment (CLOCK_MONOTONIC, ns) has come that it last returned, at once at first.
  void every_step(std::function<std::int64_t()> step);
  // Calls it at once.
  void step_now();

  // Serves until finish(), and reports to `events`, which outlives the call.
  void run(ConnectionEvents& events);

  // Any thread. Takes over a connected socket of that peer; `place` is let go of when it is closed.
  void add_connection(int socket, const IpAddress& peer, std::shared_ptr<void> place);
  void post(std::function<void()> work) override;
  // Any thread. Ends run(); connections that are still there are let go.
  void finish();

  void respond(ConnectionId connection, const HttpResponse& response) override;
  void ping(ConnectionId connection) override;
  void close(ConnectionId connection, std::uint16_t code, std::string_view reason) override;

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
