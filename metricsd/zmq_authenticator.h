// SPDX-License-Identifier: MIT
// Admits subscribers by their CURVE keys: answers ZeroMQ's authentication requests (ZAP, RFC 27).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <zmq.hpp>

namespace auralis {

class ZmqAuthenticator {
 public:
  // Admits the owners of these public keys (Z85), and refuses all other clients of those of the context's
  // sockets that have a ZAP domain. Construct it before these sockets are bound, and destroy it after them:
  // it shuts the context down, which must outlive it.
  ZmqAuthenticator(zmq::context_t& context, const std::vector<std::string>& clients);
  ~ZmqAuthenticator();
  ZmqAuthenticator(const ZmqAuthenticator&) = delete;
  ZmqAuthenticator& operator=(const ZmqAuthenticator&) = delete;

 private:
  void serve();
  void answer(const std::vector<zmq::message_t>& request);
  bool admits(const zmq::message_t& public_key) const;
  void note_refusal();

  zmq::context_t& context_;
  zmq::socket_t requests_;  // thread_'s alone
  const std::set<std::string> clients_;
  std::optional<std::chrono::steady_clock::time_point> logged_;  // thread_'s alone, like refusals_
  std::int64_t refusals_ = 0;                                    // since logged_
  std::thread thread_;                                           // last: it uses the others
};

}  // namespace auralis
