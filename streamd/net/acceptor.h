// SPDX-License-Identifier: MIT
// Takes connections from the listening socket, on a thread of its own, and deals them out to the workers: so
// a flood of connections costs the threads that send audio nothing but what is let through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "streamd/admission/address_rates.h"
#include "streamd/admission/connection_limiter.h"
#include "streamd/admission/token_bucket.h"
#include "streamd/net/websocket_server.h"
#include "streamd/stream_metrics.h"

namespace auralis {

// Why the server cannot listen: what, where, what to do.
struct ListenError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Acceptor {
 public:
  struct Limits {
    ConnectionLimiter::Limits connections;
    std::int64_t handshakes_per_second = 1;              // and as many at once
    std::int64_t handshakes_per_second_per_address = 1;  // and twice as many at once
    std::int64_t tls_handshakes_per_second = 1;          // and as many at once; over TLS alone
  };

  // Listens; connections wait until start(). `metrics` belongs to its thread. Those beyond the limits are
  // told so, unless they would expect to be spoken to in TLS, and closed; `exempt` addresses count among all,
  // but have no limit of their own. Throws ListenError.
  Acceptor(const std::string& host, std::uint16_t port, const Limits& limits,
           std::function<bool(const IpAddress&)> exempt, bool tls, const Clock& clock,
           StreamMetrics& metrics);
  // Ends the thread.
  ~Acceptor();

  // Accepts, and hands each socket to the worker that has the fewest. The workers outlive it.
  void start(std::vector<WebSocketServer*> workers);

 private:
  class Descriptor {
   public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number() const { return number_; }
    int release();

   private:
    int number_;
  };

  void run();
  bool accept_one();
  // The counter of the rate that is used up; null, and one connection fewer to come, where there is none.
  Counter* exceeded_rate(const IpAddress& peer);
  void refuse(const Descriptor& socket, Counter& reason);
  void hand_over(Descriptor& socket, const IpAddress& peer, ConnectionLimiter::Permit permit);

  std::function<bool(const IpAddress&)> exempt_;
  ConnectionLimiter connections_;
  TokenBucket handshakes_;
  TokenBucket tls_handshakes_;
  AddressRates of_address_;
  bool tls_;
  const Clock& clock_;
  StreamMetrics& metrics_;
  Descriptor listening_;
  Descriptor wake_;  // an eventfd: the end
  std::vector<WebSocketServer*> workers_;
  // Shared with each socket's place, which may outlive all else here.
  std::shared_ptr<std::vector<std::atomic<std::size_t>>> open_;  // sockets a worker
  std::thread thread_;
};

}  // namespace auralis
