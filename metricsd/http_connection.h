// SPDX-License-Identifier: MIT
// One client's connection to HttpServer: reads a request, answers it, and goes on with the next, or stays
// subscribed to an event stream.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "common/access/secret_file.h"
#include "common/access/tls_certificate.h"
#include "metricsd/http_pages.h"
#include "metricsd/http_transport.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace auralis {

// A whole message of an event stream, shared by its subscribers.
using HttpEvent = std::shared_ptr<const std::string>;

// State shared by all connections of a server. The server's thread only.
struct HttpShared {
  HttpPages pages;
  std::map<std::string, HttpEvent, std::less<>>
      newest_events;  // by path of the stream; null before the first
  HttpLimits limits;
  std::unique_ptr<TlsCertificate> certificate;  // null: without TLS
  std::optional<Secret> credentials;            // none: no password is needed
  std::uint64_t changes = 0;    // counts state changes of all connections, to tell which is older
  std::size_t subscribers = 0;  // connections in the state kStreaming
};

// The server's thread only.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  static constexpr std::chrono::milliseconds kTick{250};

  // Ordered by which connections are closed first to make room for a new one.
  enum class State { kClosing, kIdle, kReceiving, kAnswering, kStreaming };

  // Takes over an accepted socket. `shared` must outlive it, and keeps its paths for as long.
  HttpConnection(boost::asio::ip::tcp::socket socket, HttpShared& shared);

  // Starts serving. The connection stays alive while an operation is pending.
  void start();

  // Closes the connection at once.
  void close();
  bool open() const { return transport_.is_open(); }

  // Sends an event of the stream at `path` if this connection is subscribed to it; closes the connection if
  // too many are waiting.
  void push(std::string_view path, const HttpEvent& event);

  // The order of closing to make room: by state, then by the time in that state, longest first.
  std::tuple<State, std::uint64_t> age() const { return {state_, entered_}; }

  // Call once per kTick of running time, the unit of the deadlines.
  void tick();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void set_state(State state, std::chrono::milliseconds limit);
  std::string_view received() const;
  void receive();
  void advance();
  bool begin_request();
  bool take_head();
  int head_refusal();
  int field_fault() const;
  bool expects_continue() const;
  void send_continue();
  void answer();
  std::string field_values(boost::beast::http::field name) const;
  bool authorized(std::string_view path) const;
  HttpPage page_for(std::string_view path) const;
  void subscribe(std::string_view path);
  void enqueue(const HttpEvent& event);
  void write_event();
  std::string not_found() const;
  void refuse(int status);
  void send(HttpPage page, bool keep);
  void write(bool keep);
  void linger();

  HttpShared& shared_;
  HttpTransport transport_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;  // of the current request
  std::string reply_;
  std::string_view stream_;        // the path subscribed to, in `shared`
  std::deque<HttpEvent> waiting_;  // to be sent to the subscriber; the first is being written
  State state_ = State::kReceiving;
  std::uint64_t entered_ = 0;
  std::chrono::milliseconds::rep ticks_left_ = 0;
  bool receiving_ = false;
};

}  // namespace auralis
