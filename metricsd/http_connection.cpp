// SPDX-License-Identifier: MIT
#include "metricsd/http_connection.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "common/base/accept_choices.h"
#include "common/base/http_text.h"
#include "common/base/log.h"
#include "common/music/permalink.h"
#include "metricsd/http_negotiation.h"
#include "metricsd/http_response.h"
#include "metricsd/http_rules.h"

#include <boost/asio/write.hpp>

namespace auralis {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::milliseconds kLingering{2'000};
// Needs no password: it says only that the server is alive.
constexpr std::string_view kOpenPath = "/healthz";
// A smaller body fits into one packet anyway.
constexpr std::size_t kGzipFromBytes = 1'024;

std::string_view plain(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

HttpConnection::HttpConnection(tcp::socket socket, HttpShared& shared)
    : shared_(shared),
      transport_(std::move(socket), shared.certificate ? shared.certificate->context() : nullptr),
      buffer_(shared.limits.head_bytes) {}

void HttpConnection::start() {
  // Not kIdle: it would be closed first to make room, before its first request could arrive.
  set_state(State::kReceiving, shared_.limits.head);
  transport_.async_open([self = shared_from_this()](ErrorCode error) {
    if (error) return self->close();
    self->receive();
  });
}

void HttpConnection::close() {
  set_state(State::kClosing, kLingering);
  transport_.close();
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
  transport_.async_read_some(space, [self = shared_from_this()](ErrorCode error, std::size_t length) {
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

// False while the head is incomplete, or if it was rejected, or while the client is told to go on.
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
  if (!expects_continue() || parser_->is_done() || buffer_.size() > 0) return true;
  send_continue();
  return false;
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
  set_state(State::kAnswering, shared_.limits.answer);
  asio::async_write(transport_, asio::buffer(kContinue.data(), kContinue.size()),
                    [self = shared_from_this()](ErrorCode error, std::size_t) {
                      if (error) return self->close();
                      self->set_state(State::kReceiving, self->shared_.limits.head);
                      self->advance();
                    });
}

void HttpConnection::answer() {
  const auto& request = parser_->get();
  const bool keep = request.keep_alive();
  const http::verb method = request.method();
  if (method == http::verb::unknown) return send({{}, {}, 501}, keep);
  if (method == http::verb::connect) return send({{}, {}, 405}, keep);
  const auto path = path_of_target(plain(request.target()));
  if (!path) return send({{}, {}, 400}, keep);
  if (!authorized(*path)) return send({{}, {}, 401}, keep);
  const bool stream = shared_.newest_events.find(*path) != shared_.newest_events.end();
  const bool known = stream || shared_.pages.find(*path) != shared_.pages.end();
  const bool options = method == http::verb::options;
  if (options && (known || *path == "*")) return send({{}, {}, 204}, keep);
  if (!known) return send({HttpPage{}.type, not_found(), 404}, keep);
  if (method != http::verb::get && method != http::verb::head) return send({{}, {}, 405}, keep);
  if (stream) return subscribe(*path);
  send(page_for(*path), keep);
}

// The values of a header that may be given several times, as one list.
std::string HttpConnection::field_values(http::field name) const {
  std::string values;
  const auto [begin, end] = parser_->get().equal_range(name);
  for (auto value = begin; value != end; ++value)
    values.append(values.empty() ? "" : ",").append(plain(value->value()));
  return values;
}

// Whether the request may see `path`: its credentials are right, or none are needed.
bool HttpConnection::authorized(std::string_view path) const {
  if (!shared_.credentials || path == kOpenPath) return true;
  return basic_matches(plain(parser_->get()[http::field::authorization]), *shared_.credentials);
}

HttpPage HttpConnection::page_for(std::string_view path) const {
  try {
    const std::string accept = field_values(http::field::accept);
    return shared_.pages.find(path)->second({query_of_target(plain(parser_->get().target())), accept});
  } catch (const QueryError& error) {
    return {HttpPage{}.type, std::string(error.what()) + "\n", 400};
  } catch (const std::exception& error) {
    log_error("HTTP page failed", {{"path", std::string(path)}, {"error", std::string(error.what())}});
    return {{}, {}, 500};
  }
}

void HttpConnection::subscribe(std::string_view path) {
  if (shared_.subscribers >= shared_.limits.subscribers) return send({{}, {}, 503}, false);
  HttpHeadOptions options;
  options.endless = true;
  reply_ = response_head({"text/event-stream", {}, 200}, options);
  if (parser_->get().method() == http::verb::head) return write(false);
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
  asio::async_write(transport_, asio::buffer(*waiting_.front()),
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
    if (page.status != 204) page.body = refusal_text(page.status, shared_.limits);
  }
  const bool whole = parser_ && parser_->is_header_done();
  HttpHeadOptions options;
  options.keep = keep;
  options.old_version = whole && parser_->get().version() < 11;
  options.gzip =
      whole && page.body.size() >= kGzipFromBytes && accepts_gzip(field_values(http::field::accept_encoding));
  if (options.gzip) page.body = gzipped(page.body);
  reply_ = response_head(page, options);
  const bool head_alone = whole && parser_->get().method() == http::verb::head;
  if (!head_alone) reply_ += page.body;
  write(keep);
}

void HttpConnection::write(bool keep) {
  set_state(State::kAnswering, shared_.limits.answer);
  asio::async_write(transport_, asio::buffer(reply_),
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
  set_state(State::kClosing, kLingering);
  transport_.async_end([self = shared_from_this()] { self->advance(); });
}

}  // namespace auralis
