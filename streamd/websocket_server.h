// SPDX-License-Identifier: MIT
// The network of streamd: WebSocket and HTTP on one port. Its source is the only file of the project that
// sees websocketpp and Asio.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "streamd/frame.h"
#include "streamd/http_api.h"
#include "streamd/transport.h"

namespace auralis {

// Why the server cannot listen: what, where, what to do.
struct ListenError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What the network tells. All are called on the network thread.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;

  enum class Refusal { kPath, kProtocol, kLimit, kStation, kPlaces };

  // A WebSocket upgrade was refused.
  virtual void refused(Refusal reason) = 0;

  // Listeners whose upgrade is under way: those that were admitted.
  struct Coming {
    std::size_t listeners = 0;
    std::size_t personal = 0;  // with a station of their own
  };
  struct Admission {
    int status = 101;  // else why not, and a sentence for people
    Refusal reason = Refusal::kLimit;
    std::string sentence;
    bool personal = false;
  };
  // Whether a listener is admitted whose request has that query.
  virtual Admission admit(std::string_view query, const Coming& coming) const = 0;

  virtual void opened(ConnectionId id, WireFormat format, std::string_view query) = 0;
  virtual void text(ConnectionId id, std::string_view payload) = 0;
  virtual void binary(ConnectionId id) = 0;
  // The message handed over by Transport::send was taken by the kernel, `bytes` with framing; or it failed.
  virtual void written(ConnectionId id, std::size_t bytes) = 0;
  virtual void write_failed(ConnectionId id) = 0;
  virtual void closed(ConnectionId id) = 0;

  virtual HttpResponse http(const HttpRequest& request) = 0;
};

// One network thread: run() is that thread, everything else but stop() is called on it (or before it runs).
class WebSocketServer final : public Transport {
 public:
  // `events` outlives it. Beyond `max_connections` open sockets, listeners and others, new ones are closed at
  // once: at the limit of descriptors websocketpp would accept in a tight loop.
  WebSocketServer(ConnectionEvents& events, std::size_t max_connections);
  ~WebSocketServer() override;

  // Binds and listens. Throws ListenError.
  void listen(const std::string& host, std::uint16_t port);

  // Calls `step` when the moment (CLOCK_MONOTONIC, ns) has come that it last returned, at once at first.
  void every_step(std::function<std::int64_t()> step);

  // Serves until stop().
  void run();

  // From any thread: stops accepting, runs `on_stop` on the network thread, and ends run() once the
  // connections have closed, after two seconds at the latest.
  void stop(std::function<void()> on_stop);

  void send(ConnectionId connection, const WireMessagePtr& message) override;
  void close(ConnectionId connection, std::uint16_t code, std::string_view reason) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
