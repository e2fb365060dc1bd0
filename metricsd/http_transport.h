// SPDX-License-Identifier: MIT
// The byte stream of a client of HttpServer: TCP, or TLS over it. A stream as Asio's algorithms need it.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace auralis {

// The server's thread only. Handlers are called by that thread, never within the call that they are given to,
// and must keep the transport alive.
class HttpTransport {
  using Socket = boost::asio::ip::tcp::socket;
  using ErrorCode = boost::system::error_code;

 public:
  using executor_type = Socket::executor_type;

  // Takes over an accepted socket; with `tls`, a context of OpenSSL, the client must speak TLS.
  HttpTransport(Socket socket, const std::shared_ptr<SSL_CTX>& tls) : socket_(std::move(socket)) {
    ErrorCode ignored;
    socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    socket_.set_option(boost::asio::socket_base::send_buffer_size(kSendBufferBytes), ignored);
    if (!tls) return;
    SSL_CTX_up_ref(tls.get());  // Asio's context releases it
    boost::asio::ssl::context context(tls.get());
    tls_.emplace(socket_, context);
  }

  executor_type get_executor() { return socket_.get_executor(); }

  // Makes ready to read and write: calls `handler` with an error code.
  template <typename Handler>
  void async_open(Handler handler) {
    if (tls_) return tls_->async_handshake(boost::asio::ssl::stream_base::server, std::move(handler));
    boost::asio::post(get_executor(), [handler = std::move(handler)]() mutable { handler(ErrorCode()); });
  }

  template <typename Buffers, typename Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_ && !ended_) return tls_->async_read_some(buffers, std::forward<Handler>(handler));
    socket_.async_read_some(buffers, std::forward<Handler>(handler));
  }

  template <typename Buffers, typename Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return tls_->async_write_some(buffers, std::forward<Handler>(handler));
    socket_.async_write_some(buffers, std::forward<Handler>(handler));
  }

  // Ends what is written; then calls `handler`. What is read from then on is only fit to be ignored.
  template <typename Handler>
  void async_end(Handler handler) {
    if (!tls_) {
      end_socket();
      return boost::asio::post(get_executor(), std::move(handler));
    }
    tls_->async_shutdown([this, handler = std::move(handler)](ErrorCode) mutable {
      ended_ = true;
      end_socket();
      handler();
    });
  }

  // Ends all operations with an error.
  void close() {
    ErrorCode ignored;
    socket_.close(ignored);
  }
  bool is_open() const { return socket_.is_open(); }

 private:
  // What the kernel holds for a client that does not read; Linux doubles it. It grows to megabytes otherwise:
  // one client could then have thousands of pages made ahead that it never reads.
  static constexpr int kSendBufferBytes = 65'536;

  void end_socket() {
    ErrorCode ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

  Socket socket_;
  std::optional<boost::asio::ssl::stream<Socket&>> tls_;
  bool ended_ = false;  // TLS: the client's bytes are not decrypted any more
};

}  // namespace auralis
