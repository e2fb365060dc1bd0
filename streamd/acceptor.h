// SPDX-License-Identifier: MIT
// Takes connections from the listening socket, on a thread of its own, and deals them out to the lanes: so a
// flood of connections costs the threads that send audio nothing but what is let through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "streamd/gate.h"
#include "streamd/network_lane.h"
#include "streamd/stream_metrics.h"

namespace auralis {

// Why the server cannot listen: what, where, what to do.
struct ListenError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Acceptor {
 public:
  // Listens; connections wait until start(). `metrics` belongs to its thread. Beyond `max_sockets` open ones
  // new connections are closed at once. Throws ListenError.
  Acceptor(const std::string& host, std::uint16_t port, std::size_t max_sockets, Gate& gate,
           const Clock& clock, StreamMetrics& metrics);
  // Ends the thread.
  ~Acceptor();

  // Accepts, and hands each socket to the lane that has the fewest. The lanes outlive it.
  void start(std::vector<NetworkLane*> lanes);

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
  void hand_over(Descriptor& socket, std::string peer);

  std::size_t max_sockets_;
  Gate& gate_;
  const Clock& clock_;
  StreamMetrics& metrics_;
  Descriptor listening_;
  Descriptor wake_;  // an eventfd: the end
  std::vector<NetworkLane*> lanes_;
  // Shared with each socket's place, which may outlive all else here.
  std::shared_ptr<std::vector<std::atomic<std::size_t>>> open_;  // sockets a lane
  std::thread thread_;
};

}  // namespace auralis
