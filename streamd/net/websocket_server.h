// SPDX-License-Identifier: MIT
// The connections of a worker: WebSocket and HTTP, plain or over TLS, on sockets from the Acceptor. Only the
// sources in this folder and encode/wire_message.cpp include websocketpp and Asio.
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
#include "common/base/file_descriptor.h"
#include "streamd/net/connection_events.h"
#include "streamd/net/server_limits.h"
#include "streamd/net/worker_network.h"

namespace auralis {

class ServerLoop;
class TlsCertificate;

// run() is called on the worker's thread; everything else but add_connection(), post() and finish() on that
// thread, too, or before run().
class WebSocketServer final : public WorkerNetwork {
 public:
  // `clock` outlives it. Without `certificate` connections are not encrypted.
  WebSocketServer(const ServerLimits& limits, std::shared_ptr<const TlsCertificate> certificate,
                  const Clock& clock);
  ~WebSocketServer() override;

  const ProcessTime& process_time() const override;

  // Calls `step` at the time (CLOCK_MONOTONIC, ns) that its last call returned; the first time at once.
  void every_step(std::function<std::int64_t()> step);
  // Calls the step at once.
  void step_now();

  // Serves until finish(), and reports to `events`, which outlives the call.
  void run(ConnectionEvents& events);

  // Any thread. Takes ownership of a connected socket; `hold` is released when the connection is closed.
  void add_connection(FileDescriptor socket, const IpAddress& peer, std::shared_ptr<void> hold);
  void post(std::function<void()> work) override;
  // Any thread. When the thread of run() last took its turn, ten times a second (CLOCK_MONOTONIC, ns): tells
  // whether it hangs.
  std::int64_t last_beat_ns() const;
  // Any thread. Ends run(); remaining connections are dropped.
  void finish();

  void respond(ConnectionId connection, const HttpResponse& response) override;
  std::unique_ptr<ChildOutput> run_child(ChildCommand command) override;
  void ping(ConnectionId connection) override;
  void close(ConnectionId connection, std::uint16_t code, std::string_view reason) override;

 private:
  std::unique_ptr<ServerLoop> loop_;
};

}  // namespace auralis
