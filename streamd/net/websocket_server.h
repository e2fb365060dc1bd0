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
#include "streamd/api/http_api.h"
#include "streamd/net/worker_network.h"

namespace auralis {

class TlsCertificate;

// Whether a listener is let in, before the upgrade.
struct Admission {
  int status = 101;         // else why not: a status of HTTP,
  std::string body;         // what people are told,
  std::string header;       // and a header's name,
  std::string value;        // and its value, where there is one
  std::string subprotocol;  // the one to speak; empty: none
};

// What the network tells, on the worker's thread.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;

  // A WebSocket upgrade is asked for. `offered`: its subprotocols, in order.
  virtual Admission admit(ConnectionId id, const HttpRequest& request,
                          const std::vector<std::string>& offered) = 0;
  // One that was admitted, or whose answer is a stream, is there. `sink` is its own until closed() returns.
  virtual void opened(ConnectionId id, MessageSink& sink) = 0;
  virtual void text(ConnectionId id, std::string_view payload) = 0;
  virtual void binary(ConnectionId id) = 0;
  // A pong came; the round trip is left out where it answers none of our pings.
  virtual void alive(ConnectionId id, std::optional<std::int64_t> round_trip_ns) = 0;

  // Of a message that its sink left pending: some of it was taken; all of it; it never will be.
  virtual void progressed(ConnectionId id) = 0;
  virtual void written(ConnectionId id) = 0;
  virtual void write_failed(ConnectionId id) = 0;

  // The end of one that was admitted, or whose answer was a stream.
  virtual void closed(ConnectionId id) = 0;

  // A connection is closed, since its request did not come in time or its answer was not read in time.
  virtual void timed_out() = 0;

  // The answer to a request over plain HTTP; nothing: WebSocketServer::respond() gives it later.
  virtual std::optional<HttpResponse> http(ConnectionId id, const HttpRequest& request) = 0;
};

struct ServerLimits {
  std::int64_t handshake_timeout_ms = 5'000;  // for a whole request, and as much for reading its answer
  std::size_t message_bytes = 4'096;          // of a message, or of a request's body
  std::size_t header_bytes = 8'192;           // of a request
  std::size_t read_at_once = 8'192;           // of a connection after its request, in a tenth of a second
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
