// SPDX-License-Identifier: MIT
// A network thread's share of the listeners: lets them in, queues and sends what the conductor delivers,
// answers what it can answer itself, and passes on the rest.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "streamd/admission/access_policy.h"
#include "streamd/admission/connection_limiter.h"
#include "streamd/admission/token_bucket.h"
#include "streamd/control/station_directory.h"
#include "streamd/delivery/send_queues.h"
#include "streamd/net/websocket_server.h"

namespace auralis {

class Conductor;

// What all workers share. Outlives them.
struct WorkerContext {
  const Config& config;
  const Clock& clock;  // its wall time is what listeners are told, and does not jump
  const Clock& wall;   // the system's, which tickets expire by
  const AccessPolicy& access;
  ConnectionLimiter& limiter;                         // of listeners
  ConnectionLimiter& personal;                        // of personal stations
  ConnectionLimiter& encoders;                        // of personal stations that are heard in Opus
  std::shared_ptr<const TlsCertificate> certificate;  // null: not encrypted
  // Listeners on their way to a station of their own, for whom there must be a place.
  std::atomic<std::size_t> coming_personal{0};
  std::atomic<bool> stopping{false};
};

// All on the worker's thread, but for what network() may do on others.
class Worker final : public ConnectionEvents {
 public:
  // `metrics` belongs to this worker. All references outlive it.
  Worker(std::size_t index, WorkerContext& context, Conductor& conductor, StreamMetrics& metrics);
  ~Worker() override;

  WebSocketServer& network() { return network_; }
  SendQueues& queues() { return queues_; }
  StreamMetrics& metrics() { return metrics_; }

  // The stations have changed.
  void show(std::shared_ptr<const StationDirectory> directory) { directory_ = std::move(directory); }

  // What operators are told of its listeners.
  std::vector<ListenerReport> reports() const;

  // About once a second.
  void check_timeouts() { queues_.check_timeouts(); }

  // Tells all that the server stops, and sends them away one by one until `until_ns`, evenly; the next call
  // of send_away() closes who is due by then.
  void begin_drain(std::int64_t until_ns);
  void send_away();
  bool empty() const { return queues_.size() == 0; }

 private:
  // Who is listening, or about to.
  struct Session {
    ConnectionLimiter::Permit permit;
    IpAddress client;
    StationRequest want;
    WireFormat format = WireFormat::kJson;
    FormatSet offered;
    bool is_operator = false;
    bool reserved = false;  // counted in coming_personal
    SharedPermit personal;  // of the station of its own that it is to begin
    SharedPermit encoder;   // of a personal station that it is to hear in Opus
    TokenBucket messages;
    TokenBucket refusals;  // of messages beyond those
    TokenBucket changes;
    double since = 0;            // Unix seconds
    std::int64_t absent_ns = 0;  // of the process, of which its messages were allowed for
  };

  // ConnectionEvents
  Admission admit(ConnectionId id, const HttpRequest& request,
                  const std::vector<std::string>& offered) override;
  void opened(ConnectionId id, MessageSink& sink) override;
  void text(ConnectionId id, std::string_view payload) override;
  void binary(ConnectionId id) override;
  void alive(ConnectionId id, std::optional<std::int64_t> round_trip_ns) override;
  void progressed(ConnectionId id) override { queues_.progressed(id); }
  void written(ConnectionId id) override { queues_.written(id); }
  void write_failed(ConnectionId id) override { queues_.write_failed(id); }
  void closed(ConnectionId id) override;
  void timed_out() override { metrics_.rejected_timeout.add(); }
  std::optional<HttpResponse> http(ConnectionId id, const HttpRequest& request) override;

  std::optional<std::string> ticket_refusal(const StationRequest& want, std::string_view ticket) const;
  std::optional<HttpResponse> entry_refusal(const HttpRequest& request, const StationRequest& want,
                                            std::string_view ticket);
  // Lets a listener in; else the refusal.
  std::optional<HttpResponse> open_session(ConnectionId id, const HttpRequest& request, StationRequest want,
                                           const FormatSet& offered, WireFormat format);
  // Takes a place for a station of the listener's own; else the refusal.
  struct NoPlace {
    int status = 0;  // of HTTP
    std::string sentence;
  };
  std::variant<SharedPermit, NoPlace> reserve_place(const IpAddress& client);
  // Takes an encoder for a station that a listener wants to hear in that format, null if it needs none;
  // nothing if there is none left for it.
  std::optional<SharedPermit> reserve_encoder(const IpAddress& client, WireFormat format,
                                              const StationId& station, bool own);
  std::optional<SharedPermit> reserve_encoder(const IpAddress& client, WireFormat format,
                                              const StationRequest& want) {
    return reserve_encoder(client, format, want.place, want.link.has_value());
  }
  std::optional<SharedPermit> reserve_encoder(const IpAddress& client, WireFormat format, ConnectionId id);
  void step_down(ConnectionId id);
  HttpResponse station_refused(const StationRefusal& refusal);
  HttpResponse stopping_response();

  Session* may_talk(ConnectionId id);
  bool sent_during_absence(Session& session) const;
  void answer(ConnectionId id, Session& session, const ClientMessage& message);
  void change(ConnectionId id, Session& session, const ClientMessage& message);
  bool may_change(ConnectionId id, Session& session, const std::string& type);
  void control_buffer(ConnectionId id, const Session& session, const BufferControl& wish);
  void subscribe(ConnectionId id, Session& session, const Subscribe& wish);
  void send(ConnectionId id, const std::string& text);
  void refuse(ConnectionId id, const MessageError& error);

  std::optional<HttpResponse> answer_later(ConnectionId id, std::function<HttpResponse()> answer);
  std::optional<HttpResponse> control(ConnectionId id, const HttpRequest& request);
  std::optional<HttpResponse> control_refusal(const HttpRequest& request, ChangeRequest& change);
  HttpResponse listen(ConnectionId id, const HttpRequest& request, const ListenCall& call);
  HttpResponse playlist(const HttpRequest& request, std::string_view station);

  std::size_t index_;
  WorkerContext& context_;
  Conductor& conductor_;
  StreamMetrics& metrics_;
  std::shared_ptr<const StationDirectory> directory_ = std::make_shared<StationDirectory>();
  WebSocketServer network_;
  SendQueues queues_;
  std::unordered_map<ConnectionId, Session> sessions_;
  TokenBucket control_requests_;  // over plain HTTP

  struct Leave {
    std::int64_t at_ns = 0;
    ConnectionId id = 0;
  };
  bool draining_ = false;
  std::vector<Leave> leaving_;  // latest first
};

}  // namespace auralis
