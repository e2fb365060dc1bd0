// SPDX-License-Identifier: MIT
// Defines both proxies, apart from their headers: so the conductor and the worker do not include each other.
#include <utility>

#include "streamd/control/conductor.h"
#include "streamd/control/conductor_proxy.h"
#include "streamd/control/worker.h"
#include "streamd/control/worker_proxy.h"

namespace auralis {

template <typename Work>
void ConductorProxy::post(Work work) {
  executor_.post([&conductor = conductor_, work = std::move(work)] { work(conductor); });
}

void ConductorProxy::add(ConnectionId id, NewListener listener) {
  post([id, listener = std::move(listener)](Conductor& conductor) { conductor.add(id, listener); });
}
void ConductorProxy::remove(ConnectionId id, DisconnectReason reason) {
  post([id, reason](Conductor& conductor) { conductor.remove(id, reason); });
}
std::future<bool> ConductorProxy::empty() {
  auto empty = std::make_shared<std::promise<bool>>();
  std::future<bool> result = empty->get_future();
  post([empty = std::move(empty)](Conductor& conductor) { empty->set_value(conductor.empty()); });
  return result;
}

void ConductorProxy::change(ConnectionId id, ClientMessage message) {
  post([id, message = std::move(message)](Conductor& conductor) { conductor.change(id, message); });
}
void ConductorProxy::send_status(ConnectionId id) {
  post([id](Conductor& conductor) { conductor.send_status(id); });
}
void ConductorProxy::subscribe(ConnectionId id, ReservedStation station) {
  post([id, station = std::move(station)](Conductor& conductor) { conductor.subscribe(id, station); });
}
void ConductorProxy::set_format(ConnectionId id, FormatRequest request) {
  post([id, request = std::move(request)](Conductor& conductor) { conductor.set_format(id, request); });
}
void ConductorProxy::relay(std::size_t worker, ConnectionId id, WireMessagePtr message) {
  post([worker, id, message = std::move(message)](Conductor& conductor) {
    conductor.relay(worker, id, message);
  });
}

void ConductorProxy::answer_control(HttpCaller caller, ChangeRequest request) {
  post([caller, request = std::move(request)](Conductor& conductor) {
    conductor.answer_control(caller, request);
  });
}
void ConductorProxy::answer_status(HttpCaller caller, QueryFields query) {
  post([caller, query = std::move(query)](Conductor& conductor) { conductor.answer_status(caller, query); });
}
void ConductorProxy::answer_close(HttpCaller caller, ConnectionId listener) {
  post([caller, listener](Conductor& conductor) { conductor.answer_close(caller, listener); });
}
void ConductorProxy::answer_listeners(HttpCaller caller) {
  post([caller](Conductor& conductor) { conductor.answer_listeners(caller); });
}

void ConductorProxy::add_reports(std::uint64_t collection, std::vector<ListenerReport> reports) {
  post([collection, reports = std::move(reports)](Conductor& conductor) {
    conductor.add_reports(collection, reports);
  });
}

template <typename Work>
void WorkerProxy::post(Work work) {
  executor_->post([worker = worker_, work = std::move(work)] { work(*worker); });
}

void WorkerProxy::deliver(Delivery delivery) {
  post([delivery = std::move(delivery)](Worker& worker) { worker.deliver(delivery); });
}

void WorkerProxy::begin(ConnectionId id, InitialDelivery initial) {
  post([id, initial = std::move(initial)](Worker& worker) { worker.begin(id, initial); });
}
void WorkerProxy::switch_station(ConnectionId id, StationId station, WireMessagePtr answer) {
  post([id, station, answer = std::move(answer)](Worker& worker) {
    worker.switch_station(id, station, answer);
  });
}
void WorkerProxy::set_format(ConnectionId id, WireFormat format, bool stepped_down) {
  post([id, format, stepped_down](Worker& worker) { worker.set_format(id, format, stepped_down); });
}
void WorkerProxy::send_text(ConnectionId id, WireMessagePtr message) {
  post([id, message = std::move(message)](Worker& worker) { worker.send_text(id, message); });
}
void WorkerProxy::send_buffer_status(ConnectionId id) {
  post([id](Worker& worker) { worker.send_buffer_status(id); });
}
void WorkerProxy::close(ConnectionId id, std::uint16_t code, std::string_view reason) {
  post([id, code, reason](Worker& worker) { worker.close(id, code, reason); });
}

void WorkerProxy::relocate(StationId from, StationId to) {
  post([from, to](Worker& worker) { worker.relocate(from, to); });
}
void WorkerProxy::send_text_to_station(StationId station, WireMessagePtr message) {
  post([station, message = std::move(message)](Worker& worker) {
    worker.send_text_to_station(station, message);
  });
}
void WorkerProxy::close_station(StationId station, std::uint16_t code, std::string_view reason) {
  post([station, code, reason](Worker& worker) { worker.close_station(station, code, reason); });
}
void WorkerProxy::close_format(WireFormat format, std::uint16_t code, std::string_view reason) {
  post([format, code, reason](Worker& worker) { worker.close_format(format, code, reason); });
}

void WorkerProxy::respond(ConnectionId connection, HttpResponse response) {
  post(
      [connection, response = std::move(response)](Worker& worker) { worker.respond(connection, response); });
}
void WorkerProxy::report_listeners(std::uint64_t collection) {
  post([collection](Worker& worker) { worker.report_listeners(collection); });
}
void WorkerProxy::set_directory(std::shared_ptr<const StationDirectory> directory) {
  post([directory = std::move(directory)](Worker& worker) { worker.set_directory(directory); });
}
void WorkerProxy::check_timeouts() {
  post([](Worker& worker) { worker.check_timeouts(); });
}

void WorkerProxy::begin_drain(std::int64_t until_ns) {
  post([until_ns](Worker& worker) { worker.begin_drain(until_ns); });
}
std::future<bool> WorkerProxy::close_due_listeners() {
  auto gone = std::make_shared<std::promise<bool>>();
  std::future<bool> result = gone->get_future();
  post([gone = std::move(gone)](Worker& worker) {
    worker.close_due_listeners();
    gone->set_value(worker.empty());
  });
  return result;
}

}  // namespace auralis
