// SPDX-License-Identifier: MIT
// The listeners' records of a SendQueues under test, as the sessions of a worker own them.
#pragma once

#include <map>

#include "streamd/delivery/send_queues.h"
#include "tests/unit/streamd/support.h"

namespace auralis::test {

// Outlives the queues.
class OwnedListeners {
 public:
  void add(SendQueues& queues, ConnectionId id, MessageSink& sink, WireFormat format,
           bool offered_opus = false) {
    queues.add(listeners_.try_emplace(id, queues, id, sink, format, offered_opus).first->second);
  }
  DisconnectReason remove(SendQueues& queues, ConnectionId id, ConnectionEnd end = ConnectionEnd::kClosed) {
    const DisconnectReason reason = queues.remove(at(id), end);
    listeners_.erase(id);
    return reason;
  }
  SendQueues::Listener& at(ConnectionId id) { return listeners_.at(id); }
  // All that is pending is taken, and what follows; what was pending to a listener that left is dropped.
  void take_all(SendQueues& queues, RecordingTransport& transport) {
    transport.take_all([&](ConnectionId id) {
      const auto found = listeners_.find(id);
      if (found != listeners_.end()) queues.written(found->second);
    });
  }

 private:
  std::map<ConnectionId, SendQueues::Listener> listeners_;
};

}  // namespace auralis::test
