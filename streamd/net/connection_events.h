// SPDX-License-Identifier: MIT
// What a worker's network reports, and what it asks: admission before the upgrade, and answers over plain
// HTTP.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streamd/api/http_api.h"
#include "streamd/delivery/transport.h"

namespace auralis {

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

}  // namespace auralis
