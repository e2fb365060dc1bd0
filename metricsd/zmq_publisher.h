// SPDX-License-Identifier: MIT
// Publishes to any number of subscribers through ZeroMQ. The only part that sees it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace auralis {

// A PUB socket. One thread at a time; handing it to another one, as starting a thread does, is fine. A
// subscriber that does not keep up misses messages; nobody is waited for, also at the end.
class ZmqPublisher {
 public:
  // Binds. Throws std::runtime_error, naming the endpoint, where it is malformed or taken.
  explicit ZmqPublisher(const std::string& endpoint);
  ~ZmqPublisher();
  ZmqPublisher(const ZmqPublisher&) = delete;
  ZmqPublisher& operator=(const ZmqPublisher&) = delete;

  // The endpoint as bound: with its port where the configured one left the choice to the system.
  std::string endpoint() const;

  // Sends two frames. Never waits. Throws std::runtime_error where ZeroMQ refuses, which it has no cause to.
  void publish(std::string_view topic, std::string_view body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
