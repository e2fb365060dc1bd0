// SPDX-License-Identifier: MIT
#include "metricsd/http_healthcheck.h"

#include <chrono>
#include <exception>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

namespace auralis {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::seconds kPatience{3};

http::request<http::empty_body> request_for(const HttpEndpoint& endpoint) {
  http::request<http::empty_body> request(http::verb::get, "/healthz", 11);
  request.set(http::field::host, url_host(endpoint.host));
  request.set(http::field::connection, "close");
  return request;
}

// Throws Asio's exceptions.
unsigned asked_status(const HttpEndpoint& endpoint) {
  asio::io_context context;
  // Accepts any certificate: it is issued for the server's public name, not for this machine's address.
  asio::ssl::context tls(asio::ssl::context::tls_client);
  beast::ssl_stream<beast::tcp_stream> secure(context, tls);
  beast::tcp_stream& plain = secure.next_layer();
  plain.expires_after(kPatience);  // for the whole exchange
  const http::request<http::empty_body> request = request_for(endpoint);
  http::response<http::string_body> response;
  beast::flat_buffer buffer;
  ErrorCode outcome;
  const auto ask = [&](auto& stream) {
    http::async_write(stream, request, [&](ErrorCode error, std::size_t) {
      outcome = error;
      if (!error)
        http::async_read(stream, buffer, response, [&](ErrorCode ended, std::size_t) { outcome = ended; });
    });
  };
  const std::string host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host;
  const asio::ip::tcp::endpoint server(asio::ip::make_address(host),
                                       static_cast<std::uint16_t>(endpoint.port));
  plain.async_connect(server, [&](ErrorCode error) {
    outcome = error;
    if (error) return;
    if (endpoint.tls_certificate.empty()) return ask(plain);
    secure.async_handshake(asio::ssl::stream_base::client, [&](ErrorCode failed) {
      outcome = failed;
      if (!failed) ask(secure);
    });
  });
  context.run();
  if (outcome) throw boost::system::system_error(outcome);
  return response.result_int();
}

}  // namespace

std::string http_healthcheck(const HttpEndpoint& endpoint) {
  try {
    const unsigned status = asked_status(endpoint);
    return status == 200 ? "" : "/healthz answers " + std::to_string(status);
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace auralis
