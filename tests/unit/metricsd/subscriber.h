// SPDX-License-Identifier: MIT
// A ZeroMQ subscriber for tests.
#pragma once

#include <sys/un.h>

#include <string>
#include <vector>

#include <zmq.hpp>

namespace auralis::test {

class Subscriber {
 public:
  // `queue`: messages that it holds unread.
  Subscriber(const std::string& endpoint, const std::string& topic, int queue = 1'000) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvhwm, queue);
    socket_.set(zmq::sockopt::rcvtimeo, kPartMs);
    socket_.set(zmq::sockopt::subscribe, topic);
    socket_.connect(endpoint);
  }

  // The frames of the next message; empty where none came within kPartMs.
  std::vector<std::string> next() {
    std::vector<std::string> frames;
    zmq::message_t frame;
    do {
      if (!socket_.recv(frame)) return {};
      frames.push_back(frame.to_string());
    } while (frame.more());
    return frames;
  }

  // Has `publish` try again until a message comes: a subscription takes a moment to arrive.
  template <typename Publish>
  std::vector<std::string> first(const Publish& publish) {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      publish();
      if (auto frames = next(); !frames.empty()) return frames;
    }
    return {};
  }

  static constexpr int kPartMs = 100;
  static constexpr int kAttempts = 200;  // 20 s

 private:
  zmq::context_t context_{1};
  zmq::socket_t socket_{context_, zmq::socket_type::sub};
};

}  // namespace auralis::test
