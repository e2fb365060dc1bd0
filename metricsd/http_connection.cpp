// SPDX-License-Identifier: MIT
#include "metricsd/http_connection.h"

#include <algorithm>
#include <ctime>
#include <exception>
#include <sstream>
#include <utility>

#include "common/base/http_text.h"
#include "common/base/log.h"
#include "common/music/permalink.h"
#include "metricsd/http_rules.h"

#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/write.hpp>

namespace auralis {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::milliseconds kLingering{2'000};
// What the kernel holds for a subscriber that does not read; Linux doubles it. It grows to megabytes
// otherwise.
constexpr int kStreamBufferBytes = 65'536;
// The dashboard loads nothing from other origins, and no other origin may frame it.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
constexpr std::string_view kAllowed = "GET, HEAD, OPTIONS";

std::string_view plain(beast::string_view text) { return {text.data(), text.size()}; }
beast::string_view beasts(std::string_view text) { return {text.data(), text.size()}; }

// The body of an error response: a sentence for people.
std::string sentence(int status, const HttpLimits& limits) {
  switch (status) {
    case 405:
      return "Method not allowed: only " + std::string(kAllowed) + ".\n";
    case 408:
      return "Request timed out.\n";
    case 413:
      return "Request body too large: the limit is " + std::to_string(limits.body_bytes) + " bytes.\n";
    case 414:
      return "Request line too long: the limit of the header is " + std::to_string(limits.head_bytes) +
             " bytes.\n";
    case 417:
      return "Unsupported expectation: only 100-continue.\n";
    case 431:
      return "Request header too large: the limit is " + std::to_string(limits.head_bytes) + " bytes.\n";
    case 500:
      return "Internal error; see the log.\n";
    case 501:
      return "Method or transfer coding not implemented.\n";
    case 505:
      return "Only HTTP/1.1 and HTTP/1.0 are supported.\n";
    case 503:
      return "Too many subscribers: the limit is " + std::to_string(limits.subscribers) + ".\n";
    default:
      return "Malformed request.\n";
  }
}

}  // namespace

HttpConnection::HttpConnection(tcp::socket socket, HttpShared& shared)
    : shared_(shared), socket_(std::move(socket)), buffer_(shared.limits.head_bytes) {
  ErrorCode ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

void HttpConnection::start() {
  // Not kIdle: it would be closed first to make room, before its first request could arrive.
  set_state(State::kReceiving, shared_.limits.head);
  receive();
}

void HttpConnection::close() {
  set_state(State::kClosing, kLingering);
  ErrorCode ignored;
  socket_.close(ignored);
}

void HttpConnection::tick() {
  if (state_ == State::kStreaming) return;  // closed by push() once it does not keep up
  if (--ticks_left_ > 0) return;
  if (state_ == State::kReceiving && parser_) {
    refuse(408);
  } else {
    close();
  }
}

void HttpConnection::set_state(State state, std::chrono::milliseconds limit) {
  if (state_ == State::kStreaming) --shared_.subscribers;
  if (state == State::kStreaming) ++shared_.subscribers;
  state_ = state;
  entered_ = ++shared_.changes;
  ticks_left_ = limit / kTick + 1;
}

std::string_view HttpConnection::received() const {
  return {static_cast<const char*>(buffer_.data().data()), buffer_.size()};
}

void HttpConnection::receive() {
  if (receiving_) return;
  receiving_ = true;
  constexpr std::size_t kPart = 4'096;
  const auto space = buffer_.prepare(std::min(kPart, buffer_.max_size() - buffer_.size()));
  socket_.async_read_some(space, [self = shared_from_this()](ErrorCode error, std::size_t length) {
    self->receiving_ = false;
    if (error) return self->close();
    self->buffer_.commit(length);
    self->advance();
  });
}

// Processes the received bytes.
void HttpConnection::advance() {
  if (state_ == State::kClosing || state_ == State::kStreaming) {
    buffer_.consume(buffer_.size());
    return receive();
  }
  if (state_ == State::kAnswering) return;  // timed out: ignore further input
  if (!parser_ && !begin_request()) return receive();
  if (!parser_->is_header_done() && !take_head()) return;
  while (!parser_->is_done()) {
    if (buffer_.size() == 0) return receive();
    ErrorCode error;
    buffer_.consume(parser_->put(buffer_.data(), error));
    if (error == http::error::need_more) {
      // Filled by chunk extensions or trailers, which are not limited otherwise.
      return buffer_.size() == buffer_.max_size() ? refuse(400) : receive();
    }
    if (error) return refuse(error == http::error::body_limit ? 413 : 400);
  }
  answer();
}

// False until the first byte of a request has arrived. Empty lines before it neither count nor extend its
// deadline.
bool HttpConnection::begin_request() {
  while (received().substr(0, 2) == "\r\n") buffer_.consume(2);
  if (received().empty() || received() == "\r") return false;
  set_state(State::kReceiving, shared_.limits.head);
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(shared_.limits.head_bytes));
  parser_->body_limit(shared_.limits.body_bytes);
  return true;
}

// False while the head is incomplete, or if it was rejected.
bool HttpConnection::take_head() {
  int refusal = head_fault(received());
  const bool whole = received().find("\r\n\r\n") != std::string_view::npos;
  if (refusal == 0 && !whole) {
    if (buffer_.size() < buffer_.max_size()) {
      receive();
      return false;
    }
    refusal = received().find("\r\n") == std::string_view::npos ? 414 : 431;
  }
  if (refusal == 0) refusal = head_refusal();
  if (refusal != 0) {
    refuse(refusal);
    return false;
  }
  if (expects_continue() && !parser_->is_done() && buffer_.size() == 0) send_continue();
  return true;
}

// Parses the complete head; returns the status that rejects it, or 0.
int HttpConnection::head_refusal() {
  const std::size_t line_end = received().find("\r\n");
  // Beast rejects later minor versions, which must be treated as the highest known one.
  if (later_minor_version(received().substr(0, line_end))) {
    static_cast<char*>(buffer_.data().data())[line_end - 1] = '1';
  }
  ErrorCode error;
  buffer_.consume(parser_->put(buffer_.data(), error));
  if (error) return error == http::error::body_limit ? 413 : 400;
  return field_fault();
}

int HttpConnection::field_fault() const {
  const auto& request = parser_->get();
  const std::size_t hosts = request.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && request.version() > 10)) return 400;
  if (hosts == 1 && !is_authority(plain(request[http::field::host]))) return 400;
  const std::size_t codings = request.count(http::field::transfer_encoding);
  if (codings > 0) {
    // Do not guess where the request ends: a proxy in front of this server may have split it elsewhere.
    if (request.version() < 11 || request.count(http::field::content_length) > 0) return 400;
    if (codings > 1 || !beast::iequals(request[http::field::transfer_encoding], "chunked")) return 501;
  }
  const bool expects = request.version() > 10 && request.count(http::field::expect) > 0;
  return expects && !expects_continue() ? 417 : 0;
}

bool HttpConnection::expects_continue() const {
  const auto& request = parser_->get();
  return request.version() > 10 && beast::iequals(request[http::field::expect], "100-continue");
}

void HttpConnection::send_continue() {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  ErrorCode ignored;  // if it does not fit, the client sends its body after a timeout
  socket_.write_some(asio::buffer(kContinue.data(), kContinue.size()), ignored);
}

void HttpConnection::answer() {
  const auto& request = parser_->get();
  const bool keep = request.keep_alive();
  const http::verb method = request.method();
  if (method == http::verb::unknown) return send({{}, {}, 501}, keep);
  if (method == http::verb::connect) return send({{}, {}, 405}, keep);
  const auto path = path_of_target(plain(request.target()));
  if (!path) return send({{}, {}, 400}, keep);
  const bool stream = shared_.newest_events.find(*path) != shared_.newest_events.end();
  const bool known = stream || shared_.pages.find(*path) != shared_.pages.end();
  const bool options = method == http::verb::options;
  if (options && (known || *path == "*")) return send({{}, {}, 204}, keep);
  if (!known) return send({HttpPage{}.type, not_found(), 404}, keep);
  if (method != http::verb::get && method != http::verb::head) return send({{}, {}, 405}, keep);
  if (stream) return subscribe(*path);
  send(page_for(*path), keep);
}

HttpPage HttpConnection::page_for(std::string_view path) const {
  try {
    return shared_.pages.find(path)->second({query_of_target(plain(parser_->get().target()))});
  } catch (const QueryError& error) {
    return {HttpPage{}.type, std::string(error.what()) + "\n", 400};
  } catch (const std::exception& error) {
    log_error("HTTP page failed", {{"path", std::string(path)}, {"error", std::string(error.what())}});
    return {{}, {}, 500};
  }
}

void HttpConnection::subscribe(std::string_view path) {
  if (shared_.subscribers >= shared_.limits.subscribers) return send({{}, {}, 503}, false);
  reply_ = head_of({"text/event-stream", {}, 200}, false, true);
  if (parser_->get().method() == http::verb::head) return write(false);
  ErrorCode ignored;
  socket_.set_option(tcp::socket::send_buffer_size(kStreamBufferBytes), ignored);
  set_state(State::kStreaming, {});
  const auto& [name, newest] = *shared_.newest_events.find(path);
  stream_ = name;
  enqueue(std::make_shared<const std::string>(std::move(reply_)));
  if (newest) enqueue(newest);
  advance();  // goes on reading, to learn of the client's end
}

void HttpConnection::push(std::string_view path, const HttpEvent& event) {
  if (state_ != State::kStreaming || stream_ != path) return;
  if (waiting_.size() > shared_.limits.waiting_events) return close();
  enqueue(event);
}

void HttpConnection::enqueue(const HttpEvent& event) {
  waiting_.push_back(event);
  if (waiting_.size() == 1) write_event();
}

void HttpConnection::write_event() {
  asio::async_write(socket_, asio::buffer(*waiting_.front()),
                    [self = shared_from_this()](ErrorCode error, std::size_t) {
                      if (error) return self->close();
                      self->waiting_.pop_front();
                      if (!self->waiting_.empty()) self->write_event();
                    });
}

std::string HttpConnection::not_found() const {
  std::string text = "No such page. Pages:";
  for (const auto& [path, page] : shared_.pages) text.append(" ").append(path);
  for (const auto& [path, newest] : shared_.newest_events) text.append(" ").append(path);
  return text + "\n";
}

void HttpConnection::refuse(int status) { send({{}, {}, status}, false); }

// A page with neither type nor body is an error, or the response to OPTIONS.
void HttpConnection::send(HttpPage page, bool keep) {
  if (page.type.empty()) {
    page.type = HttpPage{}.type;
    if (page.status != 204) page.body = sentence(page.status, shared_.limits);
  }
  reply_ = head_of(page, keep);
  const bool head_alone = parser_ && parser_->is_header_done() && parser_->get().method() == http::verb::head;
  if (!head_alone) reply_ += page.body;
  write(keep);
}

// `endless`: of a body that ends with the connection.
std::string HttpConnection::head_of(const HttpPage& page, bool keep, bool endless) const {
  http::response<http::empty_body> response(static_cast<http::status>(page.status), 11);
  response.set(http::field::date, http_date(std::time(nullptr)));
  if (page.status == 204 || page.status == 405) response.set(http::field::allow, beasts(kAllowed));
  if (page.status != 204) {
    response.set(http::field::content_type, beasts(page.type));
    if (endless) {
      response.set("X-Accel-Buffering", "no");  // asks nginx to pass events on as they come
    } else {
      response.set(http::field::content_length, std::to_string(page.body.size()));
    }
  }
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Content-Security-Policy", beasts(kContentSecurityPolicy));
  if (!keep) {
    response.set(http::field::connection, "close");
  } else if (parser_->get().version() < 11) {
    response.set(http::field::connection, "keep-alive");
  }
  std::ostringstream text;
  text << response.base();
  return text.str();
}

void HttpConnection::write(bool keep) {
  set_state(State::kAnswering, shared_.limits.answer);
  asio::async_write(socket_, asio::buffer(reply_),
                    [self = shared_from_this(), keep](ErrorCode error, std::size_t) {
                      if (error) return self->close();
                      self->parser_.reset();
                      if (!keep) return self->linger();
                      self->set_state(State::kIdle, self->shared_.limits.idle);
                      self->advance();
                    });
}

// Drains input until the client closes, too: closing with unread data would reset the connection and could
// discard the answer.
void HttpConnection::linger() {
  ErrorCode ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  set_state(State::kClosing, kLingering);
  advance();
}

}  // namespace auralis
