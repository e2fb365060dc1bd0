// SPDX-License-Identifier: MIT
// Internal to WebSocketServer: its connections, plain or over TLS, from the socket to the last byte.
#pragma once

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "common/access/tls_certificate.h"
#include "common/base/log.h"
#include "common/base/thread_checker.h"
#include "streamd/net/http_answer.h"
#include "streamd/net/request_deadlines.h"
#include "streamd/net/server_limits.h"
#include "streamd/net/server_loop.h"
#include "streamd/net/stream_config.h"

namespace auralis {

// `Config`: PlainConfig or TlsConfig.
template <typename Config>
class WebSocketServerOf final : public ServerLoop, ConnectionOwner {
  using Server = websocketpp::server<Config>;
  using Connection = typename Server::connection_type;
  using ConnectionPtr = typename Server::connection_ptr;
  using Message = typename Config::message_type;
  using Handle = websocketpp::connection_hdl;

  // Limit of the kernel's buffer for a listener's stream: some tenths of a second of PCM, enough for a round
  // trip of 200 ms. Linux doubles it. The rest waits in the listener's queue, where it can be dropped.
  static constexpr int kSendBufferBytes = 64 * 1024;

 public:
  WebSocketServerOf(const ServerLimits& limits, std::shared_ptr<const TlsCertificate> certificate,
                    const Clock& clock)
      : ServerLoop(clock),
        limits_(limits),
        certificate_(std::move(certificate)),
        deadlines_(limits.handshake_timeout_ms * kNsPerMs) {
    server_.init_asio(&io_);
    server_.set_user_agent("auralis/" AURALIS_VERSION);
    server_.set_open_handshake_timeout(0);  // deadlines_ has it
    server_.set_max_message_size(limits.message_bytes);
    server_.set_max_http_body_size(limits.message_bytes);
    if constexpr (Config::transport_config::kEncrypted)
      server_.set_tls_init_handler([this](const Handle&) { return tls_context(); });
    server_.set_validate_handler([this](const Handle& handle) {
      bool valid = false;
      guarded(handle, [&](Connection& connection) { valid = admitted(connection); });
      return valid;
    });
    server_.set_open_handler([this](const Handle& handle) {
      guarded(handle, [&](Connection& connection) { opened(connection); });
    });
    server_.set_http_handler(
        [this](const Handle& handle) { guarded(handle, [&](Connection& connection) { http(connection); }); });
    server_.set_message_handler([this](const Handle& handle, const typename Message::ptr& message) {
      guarded(handle, [&](Connection& connection) {
        if (message->get_opcode() == websocketpp::frame::opcode::text) {
          events_->text(connection.id(), message->get_payload());
        } else {
          events_->binary(connection.id());
        }
      });
    });
    server_.set_ping_handler([this](const Handle& handle, const std::string&) {
      return server_.get_con_from_hdl(handle)->may_answer_ping();
    });
    server_.set_pong_handler([this](const Handle& handle, const std::string& payload) {
      guarded(handle, [&](Connection& connection) { pong(connection.id(), payload); });
    });
  }

  void run(ConnectionEvents& events) override {
    assert(thread_.is_current());
    events_ = &events;
    io_.run();
  }

  void add_connection(FileDescriptor socket, const IpAddress& peer, std::shared_ptr<void> hold) override {
    assert(thread_.is_current());
    const ConnectionPtr connection = server_.get_connection();
    const ConnectionId id = next_connection_id();
    asio::error_code error;
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size);
    auto& raw = connection->get_raw_socket();
    raw.assign(own.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), socket.get(), error);
    if (error) return;
    socket.release();
    // A socket that is already gone is found by its close.
    raw.non_blocking(true, error);
    raw.set_option(asio::ip::tcp::no_delay(true), error);
    raw.set_option(asio::socket_base::send_buffer_size(kSendBufferBytes), error);
    connection->belong_to(*this, id, std::move(hold));
    Entry& entry = connections_[id];
    entry.connection = connection;
    entry.peer = peer;
    connection->set_termination_handler([this, id](const ConnectionPtr& ended) {
      closed(id, end_of(ended->get_transport_ec()));
      connections_.erase(id);
    });
    entry.deadline_ns = deadlines_.add(id, process_time_.now_ns());
    connection->start();
  }

  void ping(ConnectionId id) override {
    assert(thread_.is_current());
    const auto found = connections_.find(id);
    if (found == connections_.end() || found->second.streams) return;
    found->second.pinged_ns = process_time_.now_ns();
    websocketpp::lib::error_code ignored;  // it may be closing
    found->second.connection->ping(std::to_string(found->second.pinged_ns), ignored);
  }

  void close(ConnectionId id, std::uint16_t code, std::string_view reason) override {
    assert(thread_.is_current());
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const ConnectionPtr connection = found->second.connection;
    // Otherwise the kernel keeps unsent data of a client that reads nothing for minutes.
    asio::error_code gone;
    if (code == close_code::kNoProgress)
      connection->get_raw_socket().set_option(asio::socket_base::linger(true, 0), gone);
    // The caller may be iterating over the listeners: none may be removed within this call.
    if (found->second.streams) {
      return asio::post(io_, [this, connection, code] {
        if (code != close_code::kNoProgress && code != close_code::kComplete)
          connection->transmit_last(make_last_http_chunk());
        end(connection);
      });
    }
    websocketpp::lib::error_code ignored;  // it may be closing already
    connection->close(code, std::string(reason), ignored);
  }

  void respond(ConnectionId id, const HttpResponse& response) override {
    assert(thread_.is_current());
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const ConnectionPtr connection = found->second.connection;
    fill(*connection, response);
    websocketpp::lib::error_code ignored;  // it may have gone meanwhile
    connection->send_http_response(ignored);
  }

 private:
  struct Entry {
    ConnectionPtr connection;
    IpAddress peer;
    std::int64_t pinged_ns = 0;    // process time
    std::int64_t deadline_ns = 0;  // of its request or its answer, as of deadlines_; 0: none
    bool known = false;            // to the events: closed() follows
    bool streams = false;          // over plain HTTP
    bool opens = false;            // head of its answer is being sent
    bool ends = false;             // its last answer is being sent
  };

  // Unique across all workers.
  static ConnectionId next_connection_id() {
    static std::atomic<ConnectionId> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  void check_deadlines() override {
    deadlines_.take_due(process_time_.now_ns(), [this](ConnectionId id, std::int64_t deadline_ns) {
      const auto found = connections_.find(id);
      if (found != connections_.end() && found->second.deadline_ns == deadline_ns) expire(found->second);
    });
  }

  // The request was not received, or its answer not read, in time.
  void expire(Entry& entry) {
    entry.deadline_ns = 0;
    if (!entry.ends) events_->timed_out();
    const ConnectionPtr connection = entry.connection;
    asio::error_code ignored;
    // Without a first byte there is nothing to answer, and over TLS the handshake may not be complete.
    if (!connection->began()) {
      connection->get_raw_socket().shutdown(asio::socket_base::shutdown_both, ignored);
      return;
    }
    if (connection->get_request().ready() || std::exchange(entry.ends, false)) return end(connection);
    const auto refusal = early_refusal(408, "Request Timeout", "Request not received in time.");
    entry.ends = connection->transmit(make_raw_message(refusal)) == SendResult::kPending;
    if (!entry.ends) return end(connection);
    entry.deadline_ns = deadlines_.add(connection->id(), process_time_.now_ns());
  }

  std::shared_ptr<asio::ssl::context> tls_context() const {
    const auto shared = certificate_->context();
    SSL_CTX_up_ref(shared.get());  // asio's context releases it
    return std::make_shared<asio::ssl::context>(shared.get());
  }

  // A WebSocket, or a stream whose header is sent.
  void opened(Connection& connection) {
    connections_.at(connection.id()).deadline_ns = 0;
    events_->opened(connection.id(), connection);
  }

  // A failure of one request must not affect the others.
  template <typename Work>
  void guarded(const Handle& handle, const Work& work) {
    websocketpp::lib::error_code gone;
    const ConnectionPtr connection = server_.get_con_from_hdl(handle, gone);
    if (!connection) return;
    try {
      work(*connection);
    } catch (const std::exception& failure) {
      log_error("request failed", {{"error", std::string(failure.what())}});
      websocketpp::lib::error_code ignored;
      if (connection->get_state() == websocketpp::session::state::connecting) {
        connection->set_status(websocketpp::http::status_code::internal_server_error);
        connection->set_body("Internal server error.\n");
      } else {
        connection->close(websocketpp::close::status::internal_endpoint_error, "internal error", ignored);
      }
    }
  }

  HttpRequest request_of(Connection& connection, const Entry& entry) const {
    const RequestHead& head = connection.get_request().head();
    const std::string_view target = head.target;
    const std::size_t mark = target.find('?');
    HttpRequest result;
    result.method = head.method;
    result.path = target.substr(0, mark);
    if (mark != std::string_view::npos) result.query = QueryFields(target.substr(mark + 1));
    result.body = connection.get_request_body();
    result.chunked = head.chunked;
    result.old_version = head.old_version;
    result.host = head.field("host");
    result.origin = head.field("origin");
    result.authorization = head.field("authorization");
    result.forwarded_for = head.field("x-forwarded-for");
    result.forwarded_proto = head.field("x-forwarded-proto");
    result.websocket_version = head.field("sec-websocket-version");
    result.accept_encoding = head.field("accept-encoding");
    result.if_none_match = head.field("if-none-match");
    result.peer = entry.peer;
    result.encrypted = Config::transport_config::kEncrypted;
    return result;
  }

  bool admitted(Connection& connection) {
    Entry& entry = connections_.at(connection.id());
    const Admission admission = events_->admit(connection.id(), request_of(connection, entry),
                                               connection.get_requested_subprotocols());
    if (admission.status != 101) {
      fill(connection, refusal_of(admission));
      return false;
    }
    entry.known = true;
    entry.deadline_ns = deadlines_.add(connection.id(), process_time_.now_ns());
    connection.append_header("Date", http_date());
    if (!admission.subprotocol.empty()) connection.select_subprotocol(admission.subprotocol);
    return true;
  }

  static HttpResponse refusal_of(const Admission& admission) {
    HttpResponse response{admission.status, "text/plain; charset=utf-8", admission.body, {}, false};
    if (!admission.header.empty()) response.headers.emplace_back(admission.header, admission.value);
    return response;
  }

  // The answer to a request that is not left to the library; nothing: it comes later.
  std::optional<HttpResponse> answer_to(Connection& connection, const Entry& entry) {
    const RequestHead& head = connection.get_request().head();
    if (head.fault) return text_response(head.fault->status, head.fault->sentence);
    const HttpRequest request = request_of(connection, entry);
    if (!head.asks_for_websocket()) return events_->http(connection.id(), request);
    // A handshake that the library was not shown, because it is none of RFC 6455.
    const Admission admission = events_->admit(connection.id(), request, {});
    return admission.status == 101 ? text_response(400, "Incomplete WebSocket handshake.")
                                   : refusal_of(admission);
  }

  void http(Connection& connection) {
    Entry& entry = connections_.at(connection.id());
    const auto response = answer_to(connection, entry);
    if (response && !response->stream) return fill(connection, *response);
    connection.defer_http_response();
    if (response) begin_stream(connection.id(), entry, *response);
  }

  void fill(Connection& connection, const HttpResponse& response) {
    connections_.at(connection.id()).deadline_ns = deadlines_.add(connection.id(), process_time_.now_ns());
    connection.set_status(static_cast<websocketpp::http::status_code::value>(response.status));
    for (const auto& [name, value] : headers_of(response)) connection.append_header(name, value);
    if (connection.get_request().get_method() == "HEAD") {
      // A stream has no length.
      if (!response.body.empty())
        connection.append_header("Content-Length", std::to_string(response.body.size()));
    } else {
      connection.set_body(response.body);
    }
  }

  // From here on we write the body.
  void begin_stream(ConnectionId id, Entry& entry, const HttpResponse& response) {
    entry.streams = entry.known = true;
    const ConnectionPtr connection = entry.connection;
    const bool chunked = !connection->get_request().head().old_version;
    watch(connection);
    if (!chunked) connection->send_payloads_alone();
    const SendResult result = connection->transmit(make_raw_message(stream_head(response, chunked)));
    entry.opens = result == SendResult::kPending;
    if (result == SendResult::kTaken) opened(*connection);
    if (result == SendResult::kFailed) close(id, 0, {});
  }

  // Notices that the client is gone. It has nothing more to send, and is closed if it sends much.
  void watch(const ConnectionPtr& connection, std::size_t said = 0) {
    constexpr std::size_t kMostSaid = 1'024;
    const auto buffer = std::make_shared<std::array<char, 256>>();
    connection->get_socket().async_read_some(
        asio::buffer(*buffer),
        [this, connection, buffer, said](const asio::error_code& error, std::size_t more) {
          if (connection->is_over()) return;
          if (error || said + more > kMostSaid) return end(connection, error);
          watch(connection, said + more);
        });
  }
  // An end of the input, or our own shutdown, is no fault.
  static ConnectionEnd end_of(const asio::error_code& error) {
    const bool fault = error && error != asio::error::eof && error != asio::error::operation_aborted;
    return fault ? ConnectionEnd::kReset : ConnectionEnd::kClosed;
  }
  void end(const ConnectionPtr& connection, const asio::error_code& error = {}) {
    connection->terminate(websocketpp::error::make_error_code(websocketpp::error::http_connection_ended));
    closed(connection->id(), end_of(error));
  }

  void pong(ConnectionId id, const std::string& payload) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const std::int64_t pinged_ns = found->second.pinged_ns;
    if (payload != std::to_string(pinged_ns)) return events_->alive(id, std::nullopt);
    events_->alive(id, process_time_.now_ns() - pinged_ns);
  }

  void closed(ConnectionId id, ConnectionEnd end) {
    const auto found = connections_.find(id);
    if (found == connections_.end() || !std::exchange(found->second.known, false)) return;
    events_->closed(id, end);
  }

  // ConnectionOwner
  void progressed(ConnectionId id) override { events_->progressed(id); }
  void written(ConnectionId id) override {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    Entry& entry = found->second;
    if (entry.ends) return end(ConnectionPtr(entry.connection));
    return std::exchange(entry.opens, false) ? opened(*entry.connection) : events_->written(id);
  }
  void write_failed(ConnectionId id) override { events_->write_failed(id); }
  std::size_t header_limit() const override { return limits_.header_bytes; }
  std::size_t read_at_once() const override { return limits_.read_at_once; }
  void header_too_long(ConnectionId id) override {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    found->second.connection->transmit(
        make_raw_message(early_refusal(431, "Request Header Fields Too Large", "Request header too large.")));
  }
  void body_awaited(ConnectionId id) override {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const ConnectionRequest& request = found->second.connection->get_request();
    if (request.waits_for_body() && request.head().expects_continue())
      found->second.connection->transmit(make_raw_message("HTTP/1.1 100 Continue\r\n\r\n"));
  }

  ConnectionEvents* events_ = nullptr;  // set when it runs, before the first connection
  ServerLimits limits_;
  std::shared_ptr<const TlsCertificate> certificate_;
  Server server_;  // after the io_context that its sockets need
  std::unordered_map<ConnectionId, Entry> connections_;
  RequestDeadlines deadlines_;
  ThreadChecker thread_;  // the one of run()
};

}  // namespace auralis
