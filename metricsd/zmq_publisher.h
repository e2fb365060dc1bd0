// SPDX-License-Identifier: MIT
// Publishes to subscribers through ZeroMQ, as many as ZmqPeers admits.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "metricsd/zmq_keys.h"

namespace auralis {

// Published topics. A subscription that is no prefix of one of them is foreign (ZmqPeers).
inline constexpr std::string_view kMetricsTopic = "metrics";
inline constexpr std::string_view kEventTopic = "event";
inline constexpr std::string_view kHistoryTopic = "history";  // the last events, for those that missed them
inline constexpr std::array<std::string_view, 3> kTopics{kMetricsTopic, kEventTopic, kHistoryTopic};

// A publisher for SUB sockets. One thread at a time; a hand-over needs a happens-before, such as starting the
// thread. Never waits for a subscriber: a slow one misses messages, also at shutdown.
class ZmqPublisher {
 public:
  // Binds. With `keys` it is encrypted, and clients without CURVE are refused. Throws std::runtime_error,
  // naming the endpoint, if it is malformed or taken.
  explicit ZmqPublisher(const std::string& endpoint, const std::optional<ZmqKeys>& keys = std::nullopt);
  ~ZmqPublisher();
  ZmqPublisher(const ZmqPublisher&) = delete;
  ZmqPublisher& operator=(const ZmqPublisher&) = delete;

  // The endpoint as bound: with its port if the configured one left the choice to the system.
  std::string endpoint() const;

  // Whether someone has subscribed to kHistoryTopic since the last call. Call it at most once a second, and
  // answer by publishing it: then repeated subscriptions cost no more than one message a second.
  bool take_history_request();

  // Sends two frames to the current subscribers. Never waits. Throws std::runtime_error if ZeroMQ refuses,
  // which is unexpected.
  void publish(std::string_view topic, std::string_view body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
