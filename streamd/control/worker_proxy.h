// SPDX-License-Identifier: MIT
// Orders of the conductor and the server to a worker. Between them work is handed from one thread to another
// by this class and ConductorProxy alone; both are defined in proxies.cpp.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <string_view>

#include "streamd/api/http_api.h"
#include "streamd/control/station_directory.h"
#include "streamd/delivery/delivery.h"
#include "streamd/delivery/transport.h"
#include "streamd/encode/wire_message.h"
#include "streamd/net/executor.h"

namespace auralis {

class Worker;

// Any thread. Each call returns at once and is executed later on the worker's thread, in the order in which
// its caller made it. Orders for a listener that is gone are ignored. A `reason` is kept by reference: pass a
// literal.
class WorkerProxy {
 public:
  // `executor` is the worker's thread. Both outlive the work that is posted.
  WorkerProxy(Executor& executor, Worker& worker) : executor_(&executor), worker_(&worker) {}

  // Sends the chunks of a phase to its listeners.
  void deliver(Delivery delivery);

  // For one listener.
  void begin(ConnectionId id, InitialDelivery initial);
  // Sends `answer`; the next chunk is the other station's.
  void switch_station(ConnectionId id, StationId station, WireMessagePtr answer);
  // From the next chunk on; `stepped_down`: the listener is told that its connection is too slow.
  void set_format(ConnectionId id, WireFormat format, bool stepped_down);
  void send_text(ConnectionId id, WireMessagePtr message);
  void send_buffer_status(ConnectionId id);
  void close(ConnectionId id, std::uint16_t code, std::string_view reason);

  // For all listeners of a station, or of a format.
  void relocate(StationId from, StationId to);
  void send_text_to_station(StationId station, WireMessagePtr message);
  void close_station(StationId station, std::uint16_t code, std::string_view reason);
  void close_format(WireFormat format, std::uint16_t code, std::string_view reason);

  // Answers an HTTP request.
  void respond(ConnectionId connection, HttpResponse response);
  // Asks for ConductorProxy::add_reports with the same number.
  void report_listeners(std::uint64_t collection);
  // The stations have changed.
  void set_directory(std::shared_ptr<const StationDirectory> directory);
  // About once a second.
  void check_timeouts();

  // Announces to all listeners that the server stops, and spreads their closing evenly until `until_ns`.
  void begin_drain(std::int64_t until_ns);
  // Closes the listeners whose time to go has come. The result: whether all are gone. Not ready while the
  // worker's thread hangs.
  std::future<bool> close_due_listeners();

 private:
  template <typename Work>
  void post(Work work);

  Executor* executor_;
  Worker* worker_;
};

}  // namespace auralis
