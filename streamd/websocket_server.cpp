// SPDX-License-Identifier: MIT
#include "streamd/websocket_server.h"

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <unordered_map>
#include <utility>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

#include "common/log.h"

namespace auralis {
namespace {

namespace wpp = websocketpp;

constexpr std::size_t kMaxMessageBytes = 4'096;
// What the kernel may hold of a listener's stream: some tenths of a second of PCM, enough for a round trip of
// 200 ms. Linux doubles it. The rest waits in the hub's queue, where it can be dropped.
constexpr int kSendBufferBytes = 64 * 1024;
// The player needs nothing from elsewhere, and nothing elsewhere may frame it.
constexpr char kContentSecurityPolicy[] =
    "default-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob:; object-src 'none'; base-uri "
    "'none'; "
    "frame-ancestors 'none'";
constexpr auto kStopTimeout = std::chrono::seconds(2);

// Told of each write of WebSocket frames; writes of a connection follow one another.
class WriteObserver {
 public:
  virtual ~WriteObserver() = default;
  virtual void write_begins() = 0;
  virtual void write_ended(std::size_t bytes, bool success) = 0;
};

// websocketpp's Asio transport, but it tells when a message's last byte has been taken by the kernel: the
// library's own queue neither has a bound nor says when it is empty.
template <typename Config>
class ReportingConnection : public wpp::transport::asio::connection<Config> {
  using Base = wpp::transport::asio::connection<Config>;

 public:
  using Base::Base;
  using type = ReportingConnection<Config>;
  using ptr = std::shared_ptr<type>;

  std::unique_ptr<WriteObserver> observer;
  std::shared_ptr<void> place;  // among the open sockets, as long as the connection lives

 protected:
  using Base::async_write;  // of HTTP responses

  // Called by websocketpp::connection for frames, by static type: so it may hide the base's.
  void async_write(const std::vector<wpp::transport::buffer>& buffers,
                   wpp::transport::write_handler handler) {
    std::size_t bytes = 0;
    for (const auto& buffer : buffers) bytes += buffer.len;
    if (observer) observer->write_begins();
    // `this` lives until the handler ran: the base's own handler holds a reference. The observer comes first:
    // the handler may end the connection.
    Base::async_write(buffers,
                      [this, bytes, handler = std::move(handler)](const wpp::lib::error_code& error) {
                        if (observer) observer->write_ended(bytes, !error);
                        handler(error);
                      });
  }
};

template <typename Config>
class ReportingEndpoint : public wpp::transport::asio::endpoint<Config> {
 public:
  using transport_con_type = ReportingConnection<Config>;
  using transport_con_ptr = typename transport_con_type::ptr;
};

struct ServerConfig : wpp::config::asio {
  using type = ServerConfig;
  using base = wpp::config::asio;
  // One network thread: no locks in the library.
  using concurrency_type = wpp::concurrency::none;
  using alog_type = wpp::log::basic<concurrency_type, wpp::log::alevel>;
  using elog_type = wpp::log::basic<concurrency_type, wpp::log::elevel>;
  static const bool enable_multithreading = false;
  static const std::size_t max_message_size = kMaxMessageBytes;
  static const std::size_t max_http_body_size = kMaxMessageBytes;
  static const std::size_t connection_read_buffer_size = 4'096;
  static const wpp::log::level elog_level = wpp::log::elevel::none;
  static const wpp::log::level alog_level = wpp::log::alevel::none;

  // NOLINTNEXTLINE(readability-identifier-naming): the name that websocketpp looks for
  struct transport_config : wpp::config::asio::transport_config {
    using concurrency_type = type::concurrency_type;
    using alog_type = type::alog_type;
    using elog_type = type::elog_type;
    using request_type = type::request_type;
    using response_type = type::response_type;
    using socket_type = wpp::transport::asio::basic_socket::endpoint;
    static const bool enable_multithreading = false;
  };
  using transport_type = ReportingEndpoint<transport_config>;
};

using Server = wpp::server<ServerConfig>;
using Message = ServerConfig::message_type;
namespace http_status = wpp::http::status_code;

Message::ptr prepared(wpp::frame::opcode::value opcode, std::string payload) {
  auto message = std::make_shared<Message>(Message::con_msg_man_ptr(), opcode, 0);
  const wpp::frame::basic_header header(opcode, payload.size(), true, false);
  const wpp::frame::extended_header extended(payload.size());
  message->set_header(wpp::frame::prepare_header(header, extended));
  message->get_raw_payload() = std::move(payload);
  message->set_prepared(true);
  return message;
}

// The address and port of an error message.
std::string address(const std::string& host, std::uint16_t port) {
  return (host.find(':') != std::string::npos ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

struct WireMessage {
  Message::ptr message;
};

WireMessagePtr make_text_message(std::string payload) {
  return std::make_shared<WireMessage>(WireMessage{prepared(wpp::frame::opcode::text, std::move(payload))});
}
WireMessagePtr make_binary_message(std::string payload) {
  return std::make_shared<WireMessage>(WireMessage{prepared(wpp::frame::opcode::binary, std::move(payload))});
}
std::string_view payload_of(const WireMessage& message) { return message.message->get_payload(); }

// Tells the hub of its messages. Writes of the library's own (pong, close) come between ours: a write holds
// ours if we had handed it over when the write began.
class MessageObserver final : public WriteObserver {
 public:
  MessageObserver(ConnectionEvents& events, ConnectionId id) : events_(events), id_(id) {}

  void handed_over() { handed_over_ = true; }
  void write_begins() override { in_write_ = handed_over_; }
  void write_ended(std::size_t bytes, bool success) override {
    if (!in_write_) return;
    in_write_ = handed_over_ = false;
    if (success) {
      events_.written(id_, bytes);
    } else {
      events_.write_failed(id_);
    }
  }

 private:
  ConnectionEvents& events_;
  ConnectionId id_;
  bool handed_over_ = false;
  bool in_write_ = false;
};

struct WebSocketServer::Impl {
  struct Connection {
    Server::connection_ptr connection;
    MessageObserver* observer;  // the connection's own
  };

  ConnectionEvents& events;
  std::size_t max_connections;
  // Shared with each connection's place, which may outlive all else here.
  std::shared_ptr<std::size_t> open_sockets = std::make_shared<std::size_t>(0);
  std::map<Server::connection_type*, bool> upgrading;  // admitted, not yet opened or failed; whether personal
  asio::io_context io;
  Server server;  // after the io_context that its sockets need
  asio::steady_timer step_timer{io};
  asio::steady_timer stop_timer{io};
  std::function<std::int64_t()> step;
  std::unordered_map<ConnectionId, Connection> connections;
  ConnectionId next_id = 1;
  bool stopping = false;

  Impl(ConnectionEvents& e, std::size_t max) : events(e), max_connections(max) {
    server.init_asio(&io);
    server.set_reuse_addr(true);
    server.set_listen_backlog(1'024);
    server.set_user_agent("auralis/" AURALIS_VERSION);
    server.set_tcp_post_init_handler([this](const wpp::connection_hdl& handle) { tune_socket(handle); });
    server.set_validate_handler([this](const wpp::connection_hdl& handle) {
      bool valid = false;
      guarded(handle, [&] { valid = validate(handle); });
      return valid;
    });
    server.set_fail_handler(
        [this](const wpp::connection_hdl& handle) { upgrading.erase(get(handle).get()); });
    server.set_open_handler(
        [this](const wpp::connection_hdl& handle) { guarded(handle, [&] { opened(handle); }); });
    server.set_http_handler(
        [this](const wpp::connection_hdl& handle) { guarded(handle, [&] { http(handle); }); });
  }

  // Whatever one request may meet with, the others are served.
  template <typename Work>
  void guarded(const wpp::connection_hdl& handle, const Work& work) {
    try {
      work();
    } catch (const std::exception& failure) {
      log_error("a request could not be answered", {{"error", std::string(failure.what())}});
      const auto connection = get(handle);
      if (!connection) return;
      wpp::lib::error_code ignored;
      if (connection->get_state() == wpp::session::state::connecting) {
        connection->set_status(http_status::internal_server_error);
        connection->set_body("The server failed at this request.\n");
      } else {
        connection->close(wpp::close::status::internal_endpoint_error, "the server failed", ignored);
      }
    }
  }

  Server::connection_ptr get(const wpp::connection_hdl& handle) {
    wpp::lib::error_code error;
    return server.get_con_from_hdl(handle, error);
  }

  void tune_socket(const wpp::connection_hdl& handle) {
    const auto connection = get(handle);
    if (!connection) return;
    asio::error_code ignored;  // a socket that is gone already tells so by its close
    if (*open_sockets >= max_connections) {
      connection->get_raw_socket().close(ignored);
      return;
    }
    ++*open_sockets;
    connection->place = std::shared_ptr<void>(nullptr, [count = open_sockets](void*) { --*count; });
    connection->get_raw_socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    connection->get_raw_socket().set_option(asio::socket_base::send_buffer_size(kSendBufferBytes), ignored);
  }

  bool refuse(const Server::connection_ptr& connection, http_status::value status,
              ConnectionEvents::Refusal reason, const std::string& sentence) {
    connection->set_status(status);
    connection->set_body(sentence + "\n");
    events.refused(reason);
    return false;
  }

  bool validate(const wpp::connection_hdl& handle) {
    const auto connection = get(handle);
    if (!connection) return false;
    if (path_of(connection) != "/ws/stream") {
      return refuse(connection, http_status::not_found, ConnectionEvents::Refusal::kPath,
                    "There is no stream at this path; it is /ws/stream.");
    }
    if (stopping) {
      return refuse(connection, http_status::service_unavailable, ConnectionEvents::Refusal::kLimit,
                    "The server stops.");
    }
    const auto& offered = connection->get_requested_subprotocols();
    const auto known = std::find_if(offered.begin(), offered.end(), [](const std::string& name) {
      return format_from_subprotocol(name).has_value();
    });
    if (known != offered.end()) {
      connection->select_subprotocol(*known);
    } else if (!offered.empty()) {
      return refuse(connection, http_status::bad_request, ConnectionEvents::Refusal::kProtocol,
                    "None of the subprotocols is known; there are auralis.pcm.v1 and auralis.json.v1.");
    }
    ConnectionEvents::Coming coming{upgrading.size(), 0};
    for (const auto& entry : upgrading) coming.personal += entry.second ? 1 : 0;
    const auto admission = events.admit(query_of(connection), coming);
    if (admission.status != 101) {
      return refuse(connection, static_cast<http_status::value>(admission.status), admission.reason,
                    admission.sentence);
    }
    upgrading[connection.get()] = admission.personal;
    return true;
  }

  // Path and query as sent.
  static std::string path_of(const Server::connection_ptr& connection) {
    const std::string& uri = connection->get_request().get_uri();
    return uri.substr(0, uri.find('?'));
  }
  static std::string query_of(const Server::connection_ptr& connection) {
    const std::string& uri = connection->get_request().get_uri();
    const std::size_t mark = uri.find('?');
    return mark == std::string::npos ? "" : uri.substr(mark + 1);
  }

  void opened(const wpp::connection_hdl& handle) {
    const auto connection = get(handle);
    if (!connection) return;
    upgrading.erase(connection.get());
    const ConnectionId id = next_id++;
    const WireFormat format =
        format_from_subprotocol(connection->get_subprotocol()).value_or(WireFormat::kJson);
    auto observer = std::make_unique<MessageObserver>(events, id);
    connections[id] = {connection, observer.get()};
    connection->observer = std::move(observer);
    connection->set_message_handler([this, id](const wpp::connection_hdl& from, const Message::ptr& message) {
      guarded(from, [&] {
        if (message->get_opcode() == wpp::frame::opcode::text) {
          events.text(id, message->get_payload());
        } else {
          events.binary(id);
        }
      });
    });
    connection->set_close_handler([this, id](const wpp::connection_hdl&) { closed(id); });
    events.opened(id, format, query_of(connection));
  }

  void closed(ConnectionId id) {
    const auto found = connections.find(id);
    if (found == connections.end()) return;
    connections.erase(found);
    events.closed(id);
    if (stopping && connections.empty()) io.stop();
  }

  void http(const wpp::connection_hdl& handle) {
    const auto connection = get(handle);
    if (!connection) return;
    const std::string path = path_of(connection);
    const auto& request = connection->get_request();
    const std::string query = query_of(connection);
    const HttpResponse response =
        events.http({request.get_method(), path, query, connection->get_request_body(),
                     !request.get_header("Transfer-Encoding").empty()});
    connection->set_status(static_cast<http_status::value>(response.status));
    connection->append_header("Content-Type", std::string(response.content_type));
    connection->append_header("Content-Security-Policy", kContentSecurityPolicy);
    connection->append_header("X-Content-Type-Options", "nosniff");
    connection->append_header("Cache-Control", "no-cache");
    if (!response.allow.empty()) connection->append_header("Allow", std::string(response.allow));
    if (request.get_method() == "HEAD") {
      connection->append_header("Content-Length", std::to_string(response.body.size()));
    } else {
      connection->set_body(response.body);
    }
  }

  void arm(std::int64_t at_ns) {
    step_timer.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(at_ns)));
    step_timer.async_wait([this](const asio::error_code& error) {
      if (!error) arm(step());
    });
  }
};

WebSocketServer::WebSocketServer(ConnectionEvents& events, std::size_t max_connections)
    : impl_(std::make_unique<Impl>(events, max_connections)) {}
WebSocketServer::~WebSocketServer() = default;

void WebSocketServer::listen(const std::string& host, std::uint16_t port) {
  asio::error_code error;
  const auto ip = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) throw ListenError("cannot listen on " + address(host, port) + ": the host is not an IP address");
  wpp::lib::error_code ec;
  wpp::lib::error_code accept_ec;
  impl_->server.listen(asio::ip::tcp::endpoint(ip, port), ec);
  if (!ec) impl_->server.start_accept(accept_ec);
  if (!ec && !accept_ec) return;
  // websocketpp reports any trouble of bind or listen as "underlying transport error": the system says which.
  throw ListenError("cannot listen on " + address(host, port) + ": " + (ec ? ec : accept_ec).message() +
                    "; is the port taken? Choose another with --port");
}

void WebSocketServer::every_step(std::function<std::int64_t()> step) {
  impl_->step = std::move(step);
  impl_->arm(0);
}

void WebSocketServer::run() { impl_->io.run(); }

void WebSocketServer::stop(std::function<void()> on_stop) {
  asio::post(impl_->io, [impl = impl_.get(), on_stop = std::move(on_stop)] {
    impl->stopping = true;
    wpp::lib::error_code ignored;
    impl->server.stop_listening(ignored);
    impl->step_timer.cancel();
    on_stop();
    if (impl->connections.empty()) return impl->io.stop();
    impl->stop_timer.expires_after(kStopTimeout);
    impl->stop_timer.async_wait([impl](const asio::error_code&) {
      // Those that took no close frame: nobody waits for them, but the books are closed.
      while (!impl->connections.empty()) impl->closed(impl->connections.begin()->first);
      impl->io.stop();
    });
  });
}

void WebSocketServer::send(ConnectionId id, const WireMessagePtr& message) {
  const auto found = impl_->connections.find(id);
  if (found == impl_->connections.end()) return;
  found->second.observer->handed_over();
  // A connection that is closing takes no more; `closed` follows, and settles the books.
  found->second.connection->send(message->message);
}

void WebSocketServer::close(ConnectionId id, std::uint16_t code, std::string_view reason) {
  const auto found = impl_->connections.find(id);
  if (found == impl_->connections.end()) return;
  wpp::lib::error_code ignored;  // it may be closing already
  found->second.connection->close(code, std::string(reason), ignored);
}

}  // namespace auralis
