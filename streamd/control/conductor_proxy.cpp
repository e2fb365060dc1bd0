// SPDX-License-Identifier: MIT
#include "streamd/control/conductor_proxy.h"

#include <utility>

#include "streamd/control/conductor.h"

namespace auralis {

template <typename Work>
void ConductorProxy::post(Work work) {
  executor_.post([&conductor = conductor_, work = std::move(work)] { work(conductor); });
}

void ConductorProxy::add(ConnectionId id, NewListener listener) {
  post([id, listener = std::move(listener)](Conductor& conductor) { conductor.add(id, listener); });
}
void ConductorProxy::remove(ConnectionId id) {
  post([id](Conductor& conductor) { conductor.remove(id); });
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

}  // namespace auralis
