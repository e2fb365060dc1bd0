// SPDX-License-Identifier: MIT
// Requests of workers to the conductor. Between them work is handed from one thread to another by this class
// and WorkerProxy alone; both are defined in proxies.cpp.
#pragma once

#include <cstdint>
#include <future>
#include <string>
#include <vector>

#include "streamd/api/messages.h"
#include "streamd/control/listener_requests.h"
#include "streamd/encode/wire_message.h"
#include "streamd/net/executor.h"
#include "streamd/stream_metrics.h"

namespace auralis {

class Conductor;

// Any thread. Each call returns at once and is executed later on the conductor's thread, in the order in
// which its caller made it. The conductor answers through WorkerProxy, in the same order.
class ConductorProxy {
 public:
  // `executor` is the conductor's thread. Both outlive the work that is posted.
  ConductorProxy(Executor& executor, Conductor& conductor) : executor_(executor), conductor_(conductor) {}

  // A listener was opened. Its audio begins as soon as its station plays (WorkerProxy::begin).
  void add(ConnectionId id, NewListener listener);
  void remove(ConnectionId id, DisconnectReason reason);

  // Requests of a listener, each answered with a message to it. Ignored if the listener is gone.
  void change(ConnectionId id, ClientMessage message);  // a ParameterPatch or a PresetChoice
  void send_status(ConnectionId id);
  void subscribe(ConnectionId id, ReservedStation station);
  // The answer is the listener's buffer status, once the format is in force. Later requests of that listener
  // wait for it. If the station has no encoder and `request.encoder` is null, the request is refused, or
  // ignored if it is a step-down.
  void set_format(ConnectionId id, FormatRequest request);
  // Sends `message` after the answers to the listener's earlier requests that are under way.
  void relay(std::size_t worker, ConnectionId id, WireMessagePtr message);

  // Requests over HTTP, each answered by WorkerProxy::respond.
  void answer_control(HttpCaller caller, ChangeRequest request);
  void answer_status(HttpCaller caller, QueryFields query);
  void answer_close(HttpCaller caller, ConnectionId listener);
  void answer_listeners(HttpCaller caller);

  // The result: whether all listeners were removed. Not ready while the thread hangs.
  std::future<bool> empty();

  // A worker's answer to WorkerProxy::report_listeners.
  void add_reports(std::uint64_t collection, std::vector<ListenerReport> reports);

 private:
  template <typename Work>
  void post(Work work);

  Executor& executor_;
  Conductor& conductor_;
};

}  // namespace auralis
