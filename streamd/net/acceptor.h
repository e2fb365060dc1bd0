// SPDX-License-Identifier: MIT
// Accepts connections on a thread of its own and distributes them to the workers, so that a flood of
// connections does not cost the sending threads more than what is admitted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file_descriptor.h"
#include "common/base/token_bucket.h"
#include "streamd/admission/address_rates.h"
#include "streamd/admission/connection_limiter.h"
#include "streamd/admission/grouped_log.h"
#include "streamd/net/websocket_server.h"
#include "streamd/stream_metrics.h"

namespace auralis {

class Acceptor {
 public:
  struct Limits {
    ConnectionLimiter::Limits connections;
    std::int64_t handshakes_per_second = 1;              // and bursts of as many
    std::int64_t handshakes_per_second_per_address = 1;  // and bursts of twice as many
    std::int64_t tls_handshakes_per_second = 1;          // and bursts of as many; TLS only
  };

  // Of `listening`, which outlives it, connections wait until start(). `metrics` belongs to the acceptor's
  // thread. Connections beyond the limits get a 503, except over TLS, and are closed. Addresses for which
  // `exempt` is true count towards the totals, but have no limit per address.
  Acceptor(const FileDescriptor& listening, const Limits& limits,
           std::function<bool(const IpAddress&)> exempt, bool tls, const Clock& clock, StreamMetrics& metrics,
           GroupedLog& grouped_log);
  ~Acceptor();

  // Accepts, and hands each socket to the worker with the fewest connections. The workers outlive the
  // acceptor.
  void start(std::vector<WebSocketServer*> workers);
  // Ends the thread: connections wait in the socket's queue again. Not before start(), and of no effect the
  // second time.
  void stop();

 private:
  void run();
  bool accept_one();
  // The exceeded rate; null if none is exceeded, and a token of each is taken.
  StreamMetrics::Rejection* exceeded_rate(const IpAddress& peer);
  void refuse(const FileDescriptor& socket, const IpAddress& peer, StreamMetrics::Rejection& why);
  void hand_over(FileDescriptor socket, const IpAddress& peer, ConnectionLimiter::Permit permit);

  std::function<bool(const IpAddress&)> exempt_;
  ConnectionLimiter connections_;
  TokenBucket handshakes_;
  TokenBucket tls_handshakes_;
  AddressRates of_address_;
  bool tls_;
  const Clock& clock_;
  StreamMetrics& metrics_;
  GroupedLog& grouped_log_;
  const FileDescriptor& listening_;
  FileDescriptor wake_;  // an eventfd: ends the thread
  std::vector<WebSocketServer*> workers_;
  // Open sockets per worker. Shared with each connection's hold, which may outlive the acceptor.
  std::shared_ptr<std::vector<std::atomic<std::size_t>>> open_;
  std::thread thread_;
};

}  // namespace auralis
