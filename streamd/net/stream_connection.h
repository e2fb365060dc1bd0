// SPDX-License-Identifier: MIT
// Internal to WebSocketServer: a connection of websocketpp with its own write path for the stream. The
// library's queue is unbounded and does not report when it is empty, and its write path costs half as much
// again as the write itself. The library keeps handshakes, answers and control frames; the stream goes from
// the shared message to the kernel. The two take turns.
#pragma once

#include <algorithm>
#include <array>
#include <asio/ssl.hpp>
#include <asio/steady_timer.hpp>
#include <cassert>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>
#include <websocketpp/transport/asio/connection.hpp>

#include "streamd/delivery/transport.h"
#include "streamd/net/http_head.h"

namespace auralis {

// Callbacks of a connection for its own writes and its request.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual void progressed(ConnectionId id) = 0;
  virtual void written(ConnectionId id) = 0;
  virtual void write_failed(ConnectionId id) = 0;
  virtual std::size_t header_limit() const = 0;
  virtual void header_too_long(ConnectionId id) = 0;
  // The request's header is complete, and its body is read next.
  virtual void body_awaited(ConnectionId id) = 0;
  // Read quota: bytes per 100 ms.
  virtual std::size_t read_at_once() const = 0;
};

template <typename Config>
class StreamConnection : public websocketpp::transport::asio::connection<Config>, public MessageSink {
  using Base = websocketpp::transport::asio::connection<Config>;
  using Error = websocketpp::lib::error_code;

 public:
  using Base::Base;
  using type = StreamConnection<Config>;
  using ptr = std::shared_ptr<type>;

  // Before start().
  void belong_to(ConnectionOwner& owner, ConnectionId id, std::shared_ptr<void> hold) {
    assert(owner_ == nullptr);
    owner_ = &owner;
    id_ = id;
    hold_ = std::move(hold);
  }
  ConnectionId id() const { return id_; }
  // Whether the connection has ended: nothing is read from it any more.
  bool is_over() const { return is_over_; }

  // Whether any byte of its request has been received.
  bool began() const { return head_.length() > 0; }

  // Sends messages without their framing from now on: a body that ends with the connection (HTTP/1.0).
  void send_payloads_alone() { payloads_alone_ = true; }

  // Whether to answer a ping: not while a pong is still queued, as RFC 6455 allows (5.5.3). The library's
  // queue is unbounded, and frames without payload do not count in its size.
  bool may_answer_ping() { return !std::exchange(pong_waits_, true); }

  void expect() const final {
    __builtin_prefetch(&sent_);
    __builtin_prefetch(&const_cast<StreamConnection*>(this)->get_raw_socket());
  }

  SendResult transmit(const WireMessagePtr& message) final {
    assert(!ours_);
    sent_ = 0;
    if constexpr (!Config::kEncrypted) {
      // Usually the kernel takes all of it, and the message need not be kept.
      if (!library_writes_) {
        const auto result = write(*message);
        if (result) return *result;
      }
    }
    ours_ = message;
    if (library_writes_) return SendResult::kPending;
    return go_on();
  }

  // Sends a last message before the connection ends, unless another one is still pending.
  void transmit_last(const WireMessagePtr& message) {
    if (!ours_) transmit(message);
  }

 protected:
  // websocketpp::connection calls these by static type, so they may hide the base's.
  void async_read_at_least(std::size_t count, char* buffer, std::size_t size,
                           websocketpp::transport::read_handler handler) {
    if (head_.complete()) {
      if (!std::exchange(read_on_, true)) owner_->body_awaited(id_);
      return read_on({count, buffer, size, std::move(handler)});
    }
    Base::async_read_at_least(
        count, buffer, size,
        [this, buffer, handler = std::move(handler)](const Error& error, std::size_t read) {
          if (!error) head_.take({buffer, read});
          if (head_.length() > owner_->header_limit()) {
            owner_->header_too_long(id_);
            return handler(make_error_code(websocketpp::transport::error::eof), 0);
          }
          handler(error, read);
        });
  }

  void async_write(const char* bytes, std::size_t size, websocketpp::transport::write_handler handler) {
    async_write({websocketpp::transport::buffer(bytes, size)}, std::move(handler));
  }

  void async_write(const std::vector<websocketpp::transport::buffer>& buffers,
                   websocketpp::transport::write_handler handler) {
    // Our partly written message goes first.
    if (ours_ && !library_writes_) {
      waits_ = [this, buffers, handler = std::move(handler)] { write_for_library(buffers, handler); };
      return;
    }
    write_for_library(buffers, handler);
  }

  // Tells the library at once that the connection is shut down, and closes it in the background. The
  // library's own shutdown over TLS would run into its time-out: Asio reports a shutdown that had to wait for
  // a read as cancelled.
  void async_shutdown(const websocketpp::transport::shutdown_handler& handler) {
    is_over_ = true;
    asio::error_code gone;
    this->get_raw_socket().cancel(gone);
    const auto farewell = std::make_shared<Farewell>(this->get_raw_socket().get_executor());
    farewell->limit.expires_after(kFarewellLimit);
    farewell->limit.async_wait([this, self = this->shared_from_this()](const asio::error_code& error) {
      asio::error_code ignored;
      if (!error) this->get_raw_socket().close(ignored);
    });
    if constexpr (Config::kEncrypted) {
      this->get_socket().async_shutdown(
          [this, self = this->shared_from_this(), farewell](const asio::error_code&) { linger(farewell); });
    } else {
      linger(farewell);
    }
    handler(Error());
  }

 private:
  struct Read {
    std::size_t at_least;
    char* buffer;
    std::size_t size;
    websocketpp::transport::read_handler handler;
  };

  // Read quota: at most read_at_once() bytes per 100 ms. A client that floods us only delays itself.
  void read_on(Read read) {
    if (is_over_) return read.handler(make_error_code(websocketpp::transport::error::eof), 0);
    const auto now = std::chrono::steady_clock::now();
    if (now >= reading_until_) {
      reading_until_ = now + kReadingTime;
      read_meanwhile_ = 0;
    }
    if (read_meanwhile_ < owner_->read_at_once()) return read_now(read);
    const auto pause =
        std::make_shared<asio::steady_timer>(this->get_raw_socket().get_executor(), reading_until_);
    pause->async_wait(
        [this, self = this->shared_from_this(), pause, read](const asio::error_code&) { read_on(read); });
  }
  void read_now(const Read& read) {
    Base::async_read_at_least(read.at_least, read.buffer, read.size,
                              [this, handler = read.handler](const Error& error, std::size_t bytes) {
                                read_meanwhile_ += bytes;
                                handler(error, bytes);
                              });
  }

  void write_for_library(const std::vector<websocketpp::transport::buffer>& buffers,
                         const websocketpp::transport::write_handler& handler) {
    library_writes_ = true;
    Base::async_write(buffers, [this, handler](const Error& error) {
      library_writes_ = pong_waits_ = false;
      handler(error);  // may write again
      if (ours_ && !library_writes_) tell(go_on());
    });
  }

  // Writes as much of our message as possible.
  SendResult go_on() {
    if constexpr (Config::kEncrypted) {
      write_encrypted();
      return SendResult::kPending;
    } else {
      return write_plain();
    }
  }

  SendResult write_plain() {
    const std::size_t before = sent_;
    if (const auto result = write(*ours_)) {
      end_of_ours();
      return *result;
    }
    if (sent_ > before && waited_) owner_->progressed(id_);
    waited_ = true;
    const auto self = this->shared_from_this();
    this->get_raw_socket().async_wait(
        asio::socket_base::wait_write,
        [this, self](const asio::error_code& failure) { tell(failure ? failed() : go_on()); });
    return SendResult::kPending;
  }

  // Writes what the kernel takes of it; nothing: it takes no more for the moment.
  std::optional<SendResult> write(const WireMessage& message) {
    auto& socket = this->get_raw_socket();
    asio::error_code error;
    const std::string_view bytes = bytes_of(message);
    while (sent_ < bytes.size()) {
      sent_ += socket.send(asio::buffer(bytes.data() + sent_, bytes.size() - sent_), 0, error);
      if (error == asio::error::would_block || error == asio::error::try_again) return std::nullopt;
      if (error) return SendResult::kFailed;
    }
    return SendResult::kTaken;
  }

  std::string_view bytes_of(const WireMessage& message) const {
    return payloads_alone_ ? payload_of(message) : std::string_view(message.bytes);
  }

  // OpenSSL wants the same bytes again after a partial write; Asio takes care of that.
  void write_encrypted() {
    const auto self = this->shared_from_this();
    asio::async_write(
        this->get_socket(), asio::buffer(bytes_of(*ours_)),
        [this, self](const asio::error_code& error, std::size_t) { tell(error ? failed() : taken()); });
  }

  struct Farewell {
    explicit Farewell(const asio::any_io_executor& executor) : limit(executor) {}
    asio::steady_timer limit;
    std::array<char, 4'096> bytes{};
    std::size_t read = 0;
  };

  // Lingering close: drain input until the peer's FIN. close() with unread data sends RST and can discard our
  // last response.
  void linger(const std::shared_ptr<Farewell>& farewell) {
    asio::error_code gone;
    this->get_raw_socket().shutdown(asio::socket_base::shutdown_send, gone);
    read_out(farewell);
  }
  void read_out(const std::shared_ptr<Farewell>& farewell) {
    below_tls().async_read_some(
        asio::buffer(farewell->bytes),
        [this, self = this->shared_from_this(), farewell](const asio::error_code& error, std::size_t read) {
          farewell->read += read;
          if (!error && farewell->read < kMostUnread) return read_out(farewell);
          farewell->limit.cancel();
          // Not left to the destructor: the kernel would keep unsent data of a client that reads nothing.
          asio::error_code ignored;
          this->get_raw_socket().close(ignored);
        });
  }

  asio::ip::tcp::socket& below_tls() {
    if constexpr (Config::kEncrypted) {
      return this->get_socket().next_layer();
    } else {
      return this->get_socket();
    }
  }

  SendResult taken() {
    end_of_ours();
    return SendResult::kTaken;
  }
  SendResult failed() {
    end_of_ours();
    return SendResult::kFailed;
  }
  void end_of_ours() {
    ours_.reset();
    waited_ = false;
    if (const auto next = std::exchange(waits_, nullptr)) next();
  }
  // Reports the result of a pending message.
  void tell(SendResult result) {
    if (result == SendResult::kTaken) owner_->written(id_);
    if (result == SendResult::kFailed) owner_->write_failed(id_);
  }

  static constexpr std::chrono::milliseconds kReadingTime{100};
  static constexpr std::chrono::seconds kFarewellLimit{2};
  static constexpr std::size_t kMostUnread = std::size_t{1'024} * 1'024;

  ConnectionOwner* owner_ = nullptr;
  ConnectionId id_ = 0;
  std::shared_ptr<void> hold_;
  HeadEnd head_;
  WireMessagePtr ours_;
  std::size_t sent_ = 0;
  std::size_t read_meanwhile_ = 0;  // bytes since kReadingTime ago
  std::chrono::steady_clock::time_point reading_until_{};
  bool is_over_ = false;
  bool read_on_ = false;  // beyond the request's header
  bool payloads_alone_ = false;
  bool waited_ = false;
  bool library_writes_ = false;
  bool pong_waits_ = false;
  std::function<void()> waits_;  // the library's next write, postponed; keeps the connection alive
};

}  // namespace auralis
