// SPDX-License-Identifier: MIT
// A network thread's share of the listeners: admits them, queues and sends what the conductor delivers,
// answers the requests that it can answer itself, and passes the others on to the conductor.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "common/base/thread_checker.h"
#include "common/base/token_bucket.h"
#include "streamd/control/conductor_proxy.h"
#include "streamd/control/downloads.h"
#include "streamd/control/worker_context.h"
#include "streamd/delivery/send_queues.h"
#include "streamd/net/websocket_server.h"

namespace auralis {

// The worker's thread only: other threads use a WorkerProxy.
class Worker final : public ConnectionEvents {
 public:
  // `metrics` belongs to this worker. All references outlive it.
  Worker(std::size_t index, WorkerContext& context, ConductorProxy& conductor, WorkerNetwork& network,
         StreamMetrics& metrics);
  ~Worker() override;

  // Orders of the conductor, as in WorkerProxy.
  void deliver(const Delivery& delivery);
  void begin(ConnectionId id, const InitialDelivery& initial);
  void switch_station(ConnectionId id, const StationId& station, const WireMessagePtr& answer);
  void set_format(ConnectionId id, WireFormat format, bool stepped_down);
  void send_text(ConnectionId id, const WireMessagePtr& message);
  void send_buffer_status(ConnectionId id);
  void close(ConnectionId id, std::uint16_t code, std::string_view reason);
  void relocate(const StationId& from, const StationId& to) { queues_.move(from, to); }
  void send_text_to_station(const StationId& station, const WireMessagePtr& message);
  void close_station(const StationId& station, std::uint16_t code, std::string_view reason);
  void close_format(WireFormat format, std::uint16_t code, std::string_view reason);
  void respond(ConnectionId connection, const HttpResponse& response);
  void report_listeners(std::uint64_t collection);
  void set_directory(std::shared_ptr<const StationDirectory> directory);
  void check_timeouts();

  // Announces to all listeners that the server stops, and gives each its time to go, evenly until `until_ns`.
  void begin_drain(std::int64_t until_ns);
  // Closes those whose time has come.
  void close_due_listeners();
  bool empty() const { return queues_.listeners().empty(); }

  // ConnectionEvents
  Admission admit(ConnectionId id, const HttpRequest& request,
                  const std::vector<std::string>& offered) override;
  void opened(ConnectionId id, MessageSink& sink) override;
  void text(ConnectionId id, std::string_view payload) override;
  void binary(ConnectionId id) override;
  void alive(ConnectionId id, std::optional<std::int64_t> round_trip_ns) override;
  void progressed(ConnectionId id) override;
  void written(ConnectionId id) override;
  void write_failed(ConnectionId id) override;
  void closed(ConnectionId id, ConnectionEnd end) override;
  void timed_out() override { note_rejection(metrics_.rejected_timeout, "unknown"); }
  std::optional<HttpResponse> http(ConnectionId id, const HttpRequest& request) override;

 private:
  // A listener, from its admission on.
  struct Session {
    Session(ConnectionLimiter::Permit taken, ReservedStation station, const Config& config);

    ConnectionLimiter::Permit permit;
    IpAddress client;
    WireFormat format = WireFormat::kJson;  // at first; `listener` knows the current one
    FormatSet offered;                      // may be switched to
    bool is_operator = false;
    std::optional<ReservedStation> arrives;        // until it is open; then the conductor has it
    std::optional<SendQueues::Listener> listener;  // since the connection is open
    TokenBucket messages;
    TokenBucket refusals;  // error messages for messages beyond the rate limit
    TokenBucket changes;
    double since = 0;            // Unix seconds
    std::int64_t absent_ns = 0;  // of the process's absence, for which messages were already allowed
  };

  // worker_admission.cpp: who may listen, and the permits for that.
  std::optional<std::string> ticket_refusal(const StationRequest& want, std::string_view ticket) const;
  // Of a page or a ticket that may not listen, whether or not there is capacity.
  std::optional<HttpResponse> entry_refusal(const HttpRequest& request, const StationRequest& want,
                                            std::string_view ticket);
  // Creates the session; returns the refusal if there is no capacity.
  std::optional<HttpResponse> open_session(ConnectionId id, const HttpRequest& request, StationRequest want,
                                           const FormatSet& offered, WireFormat format);
  struct NoCapacity {
    int status = 0;         // of HTTP
    bool personal = false;  // of personal stations; else of encoders
    std::string sentence;
  };
  // Acquires the permits that a listener needs for that station.
  std::variant<ReservedStation, NoCapacity> reserve(const IpAddress& client, WireFormat format,
                                                    StationRequest want);
  std::variant<SharedPermit, NoCapacity> reserve_personal(const IpAddress& client);
  // The permit for an encoder: null if none is needed, nothing if there is none left. `own`: the station is
  // still to be opened.
  std::optional<SharedPermit> reserve_encoder(const IpAddress& client, WireFormat format,
                                              const StationId& station, bool own);
  // For the station that the listener hears now. Its connection is open.
  std::optional<SharedPermit> reserve_encoder(const Session& session, WireFormat format);
  void step_down(ConnectionId id);
  HttpResponse station_refused(const HttpRequest& request, const StationRefusal& refusal);
  HttpResponse stopping_response(const HttpRequest& request);
  void note_rejection(StreamMetrics::Rejection& why, const GroupedLog::Client& client);

  void log_end(const Session& session, DisconnectReason why);

  // The session of an open connection; null if it is not open yet, or gone.
  Session* find_open(ConnectionId id);

  // Messages of listeners.
  Session* may_talk(ConnectionId id);
  bool sent_during_absence(Session& session) const;
  void answer(ConnectionId id, Session& session, const ClientMessage& message);
  void change(ConnectionId id, Session& session, const ClientMessage& message);
  bool may_change(ConnectionId id, Session& session, const std::string& type);
  void control_buffer(ConnectionId id, Session& session, const BufferControl& request);
  void subscribe(ConnectionId id, Session& session, const Subscribe& request);
  void send(SendQueues::Listener& listener, const std::string& text) {
    queues_.send_text(listener, make_text_message(text));
  }
  void refuse(ConnectionId id, const Session& session, const MessageError& error);
  std::vector<ListenerReport> reports() const;

  // worker_http.cpp
  std::optional<HttpResponse> control(ConnectionId id, const HttpRequest& request);
  // Whom an answer of the conductor goes to, and who asked.
  HttpCaller caller(ConnectionId id, const HttpRequest& request) const;
  std::optional<HttpResponse> control_refusal(const HttpRequest& request, ChangeRequest& change);
  std::optional<HttpResponse> operators_only(const HttpRequest& request);
  HttpResponse listen(ConnectionId id, const HttpRequest& request, const ListenCall& call);
  HttpResponse playlist(const HttpRequest& request, std::string_view station);
  HttpResponse download(ConnectionId id, const HttpRequest& request, const DownloadCall& call);
  HttpResponse ready_response() const;

  ThreadChecker checker_;
  std::size_t index_;
  WorkerContext& context_;
  ConductorProxy& conductor_;
  WorkerNetwork& network_;
  StreamMetrics& metrics_;
  std::shared_ptr<const StationDirectory> directory_ = std::make_shared<StationDirectory>();
  std::unordered_map<ConnectionId, Session> sessions_;
  SendQueues queues_;  // after `sessions_`, whose listeners it refers to
  Downloads downloads_;
  TokenBucket control_requests_;  // over plain HTTP, of all clients

  struct Leave {
    std::int64_t at_ns = 0;
    ConnectionId id = 0;
  };
  bool draining_ = false;
  std::vector<Leave> leaving_;  // latest first
};

}  // namespace auralis
