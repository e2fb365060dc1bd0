// SPDX-License-Identifier: MIT
// Publishes to subscribers through ZeroMQ, as many as ZmqPeers admits.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace auralis {

// What is published. A subscription that none of them begins with is foreign (ZmqPeers).
inline constexpr std::string_view kMetricsTopic = "metrics";
inline constexpr std::string_view kEventTopic = "event";
inline constexpr std::array<std::string_view, 2> kTopics{kMetricsTopic, kEventTopic};

// What a SUB socket subscribes to. One thread at a time; handing it to another one, as starting a thread
// does, is fine. A subscriber that does not keep up misses messages; none is waited for, also at the end.
class ZmqPublisher {
 public:
  // Binds. Throws std::runtime_error, naming the endpoint, where it is malformed or taken.
  explicit ZmqPublisher(const std::string& endpoint);
  ~ZmqPublisher();
  ZmqPublisher(const ZmqPublisher&) = delete;
  ZmqPublisher& operator=(const ZmqPublisher&) = delete;

  // The endpoint as bound: with its port where the configured one left the choice to the system.
  std::string endpoint() const;

  // Sends two frames, to those who have subscribed by now. Never waits. Throws std::runtime_error where
  // ZeroMQ refuses, which it has no cause to.
  void publish(std::string_view topic, std::string_view body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
