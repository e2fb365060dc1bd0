// SPDX-License-Identifier: MIT
#include "metricsd/http_healthcheck.h"

#include <chrono>
#include <exception>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace auralis {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::seconds kPatience{3};

http::request<http::empty_body> request_for(const std::string& host) {
  http::request<http::empty_body> request(http::verb::get, "/healthz", 11);
  request.set(http::field::host, host.find(':') == std::string::npos ? host : "[" + host + "]");
  request.set(http::field::connection, "close");
  return request;
}

// Throws Asio's exceptions.
unsigned asked_status(const std::string& host, std::int64_t port) {
  asio::io_context context;
  beast::tcp_stream stream(context);
  stream.expires_after(kPatience);  // for the whole exchange
  http::request<http::empty_body> request = request_for(host);
  http::response<http::string_body> response;
  beast::flat_buffer buffer;
  ErrorCode outcome;
  const auto read = [&](ErrorCode error, std::size_t) { outcome = error; };
  const auto sent = [&](ErrorCode error, std::size_t) {
    outcome = error;
    if (!error) http::async_read(stream, buffer, response, read);
  };
  const asio::ip::tcp::endpoint server(asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host),
                                       static_cast<std::uint16_t>(port));
  stream.async_connect(server, [&](ErrorCode error) {
    outcome = error;
    if (!error) http::async_write(stream, request, sent);
  });
  context.run();
  if (outcome) throw boost::system::system_error(outcome);
  return response.result_int();
}

}  // namespace

std::string http_healthcheck(const std::string& host, std::int64_t port) {
  try {
    const unsigned status = asked_status(host, port);
    return status == 200 ? "" : "/healthz answers " + std::to_string(status);
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace auralis
