// SPDX-License-Identifier: MIT
// Events that a worker's network reports, and its questions: admission before the upgrade, and answers over
// plain HTTP.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streamd/api/http_api.h"
#include "streamd/delivery/transport.h"

namespace auralis {

// The decision on a WebSocket upgrade.
struct Admission {
  int status = 101;    // 101: admitted; else the HTTP status of the refusal
  std::string body;    // of a refusal: a sentence for people
  std::string header;  // of a refusal: name and value of one more header; empty: none
  std::string value;
  std::string subprotocol;  // of an admission: the selected one; empty: none
};

// Called by WebSocketServer on the worker's thread.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;

  // A client requests a WebSocket upgrade. `offered`: its subprotocols, in its order.
  virtual Admission admit(ConnectionId id, const HttpRequest& request,
                          const std::vector<std::string>& offered) = 0;
  // An admitted connection, or one whose answer is a stream, is open. `sink` is valid until closed() returns.
  virtual void opened(ConnectionId id, MessageSink& sink) = 0;
  virtual void text(ConnectionId id, std::string_view payload) = 0;
  virtual void binary(ConnectionId id) = 0;
  // A pong was received; without a round trip if it answers none of our pings.
  virtual void alive(ConnectionId id, std::optional<std::int64_t> round_trip_ns) = 0;

  // The pending message of a sink: the kernel took a part of it; all of it; the connection is broken.
  virtual void progressed(ConnectionId id) = 0;
  virtual void written(ConnectionId id) = 0;
  virtual void write_failed(ConnectionId id) = 0;

  // A connection for which opened() was called, or admitted, has ended; whether or not streamd closed it.
  virtual void closed(ConnectionId id, ConnectionEnd end) = 0;

  // A connection is closed because its request was not received, or its answer not read, in time.
  virtual void timed_out() = 0;

  // The answer to a request over plain HTTP; nothing: WebSocketServer::respond() gives it later.
  virtual std::optional<HttpResponse> http(ConnectionId id, const HttpRequest& request) = 0;
};

}  // namespace auralis
