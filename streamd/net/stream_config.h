// SPDX-License-Identifier: MIT
// Internal to WebSocketServer: the configuration of websocketpp's server.
#pragma once

#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>
#include <websocketpp/transport/asio/security/tls.hpp>

#include "streamd/net/connection_request.h"
#include "streamd/net/stream_connection.h"

namespace auralis {

template <typename Config>
class ServerEndpoint : public websocketpp::transport::asio::endpoint<Config> {
 public:
  using transport_con_type = StreamConnection<Config>;
  using transport_con_ptr = typename transport_con_type::ptr;
};

// `Socket`: websocketpp's plain or encrypted socket.
template <typename Socket, bool kTls>
struct ServerConfig : websocketpp::config::asio {
  using type = ServerConfig<Socket, kTls>;
  using base = websocketpp::config::asio;
  // One thread per server: no locks in the library.
  using concurrency_type = websocketpp::concurrency::none;
  using alog_type = websocketpp::log::basic<concurrency_type, websocketpp::log::alevel>;
  using elog_type = websocketpp::log::basic<concurrency_type, websocketpp::log::elevel>;
  static const bool enable_multithreading = false;
  using request_type = ConnectionRequest;
  static const bool enable_extensions = false;
  // Allocated per connection.
  static const std::size_t connection_read_buffer_size = 1'024;
  static const websocketpp::log::level elog_level = websocketpp::log::elevel::none;
  static const websocketpp::log::level alog_level = websocketpp::log::alevel::none;

  // NOLINTNEXTLINE(readability-identifier-naming): the name that websocketpp looks for
  struct transport_config : websocketpp::config::asio::transport_config {
    using concurrency_type = typename type::concurrency_type;
    using alog_type = typename type::alog_type;
    using elog_type = typename type::elog_type;
    using request_type = typename type::request_type;
    using response_type = typename type::response_type;
    using socket_type = Socket;
    static const bool enable_multithreading = false;
    static const long timeout_socket_post_init = 0;  // WebSocketServer limits the TLS handshake
    static constexpr bool kEncrypted = kTls;
  };
  using transport_type = ServerEndpoint<transport_config>;
};

using PlainConfig = ServerConfig<websocketpp::transport::asio::basic_socket::endpoint, false>;
using TlsConfig = ServerConfig<websocketpp::transport::asio::tls_socket::endpoint, true>;

}  // namespace auralis
