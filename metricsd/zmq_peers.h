// SPDX-License-Identifier: MIT
// Limits on the peers of a listening ZeroMQ socket, which ZeroMQ itself lacks. A header that includes
// ZeroMQ's: for zmq_publisher.cpp only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <zmq.hpp>

#include "common/base/mutex.h"

namespace auralis {

// Watches a socket's connections from a thread of its own, and disconnects excess ones: first the oldest that
// has not subscribed; if all have subscribed, the newest.
class ZmqPeers {
 public:
  // Concurrent peers.
  static constexpr std::size_t kPeers = 64;
  // Subscriptions of one peer that match no topic of ours. A peer may have some legitimately: a subscriber
  // sends all of its subscriptions to every publisher that it is connected to.
  static constexpr std::size_t kForeignTopics = 64;
  static constexpr std::size_t kForeignBytes = 4'096;

  // Construct it before binding `socket`, which belongs to `context`, in the thread that uses the socket.
  // Both must outlive it.
  ZmqPeers(zmq::context_t& context, zmq::socket_t& socket);

  // Destroy it in the thread that uses the socket.
  ~ZmqPeers();
  ZmqPeers(const ZmqPeers&) = delete;
  ZmqPeers& operator=(const ZmqPeers&) = delete;

  // Call once after binding the socket to that endpoint, which distinguishes its connections from other
  // descriptors.
  void bound_at(const std::string& endpoint);

  // Call if the peer of `descriptor` has subscribed to `topic`, which is `foreign` if none of our topics
  // begins with it. Disconnects a peer with too many foreign ones, because ZeroMQ stores each. Any thread.
  void subscribed(int descriptor, std::string_view topic, bool foreign);

 private:
  struct Peer {
    std::uint64_t number = 0;  // in the order in which they were accepted
    bool subscribed = false;
    std::size_t foreign_topics = 0;
    std::size_t foreign_bytes = 0;
  };
  void watch();
  bool read_events();
  std::size_t reports();
  void note_subscribed() AURALIS_REQUIRES(mutex_);
  void cut_off_excess() AURALIS_REQUIRES(mutex_);
  bool is_ours(int descriptor) const AURALIS_REQUIRES(mutex_);
  void cut_off(int descriptor) AURALIS_REQUIRES(mutex_);

  zmq::socket_t& socket_;
  zmq::socket_t events_;  // thread_'s alone
  Mutex mutex_;
  std::string path_ AURALIS_GUARDED_BY(mutex_);             // of an ipc endpoint
  std::uint16_t port_ AURALIS_GUARDED_BY(mutex_) = 0;       // of a tcp endpoint
  std::vector<int> subscribed_ AURALIS_GUARDED_BY(mutex_);  // descriptors of peers that may not be known yet
  std::uint64_t accepted_ AURALIS_GUARDED_BY(mutex_) = 0;
  std::map<int, Peer> peers_ AURALIS_GUARDED_BY(mutex_);
  std::thread thread_;  // last: it uses the others
};

}  // namespace auralis
