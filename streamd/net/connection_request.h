// SPDX-License-Identifier: MIT
// Internal to WebSocketServer: the request parser that websocketpp uses here. The library's own refuses
// requests that ordinary proxies send, without a reason or body.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <websocketpp/http/request.hpp>

#include "common/base/text.h"
#include "streamd/net/http_head.h"

namespace auralis {

// The library calls consume() and ready() by static type: they hide its own. A request that cannot be served
// is presented to the library as a plain one, which the HTTP handler answers.
class ConnectionRequest : public websocketpp::http::parser::request {
 public:
  // Consumes the bytes of the request, and returns their number.
  std::size_t consume(const char* bytes, std::size_t count) {
    if (ready_) return 0;
    std::size_t taken = 0;
    if (!end_.complete()) {
      taken = end_.take({bytes, count});
      text_.append(bytes, taken);
      if (!end_.complete()) return taken;
      read_head();
    }
    const std::size_t more = std::min(body_missing_, count - taken);
    m_body.append(bytes + taken, more);
    body_missing_ -= more;
    ready_ = body_missing_ == 0;
    return taken + more;
  }
  bool ready() const { return ready_; }

  // Valid once the header is complete.
  const RequestHead& head() const { return head_; }
  bool waits_for_body() const { return end_.complete() && !ready_; }

 private:
  void read_head() {
    head_ = parse_request_head(std::exchange(text_, {}));
    if (!head_.fault && head_.content_length > get_max_body_size()) {
      head_.fault = HttpFault{
          413, "Request body too large: at most " + std::to_string(get_max_body_size()) + " bytes."};
    }
    if (!head_.method.empty()) set_method(head_.method);
    set_version("HTTP/1.1");
    set_uri("/");
    if (head_.fault) return;
    body_missing_ = static_cast<std::size_t>(head_.content_length);
    if (is_handshake()) pass_handshake_on();
  }

  // Whether the library can answer the handshake (RFC 6455).
  bool is_handshake() const {
    constexpr std::size_t kKeyLength = 24;  // 16 bytes in base64
    return head_.asks_for_websocket() && head_.field("sec-websocket-version") == "13" &&
           head_.field("sec-websocket-key").size() == kKeyLength;
  }
  void pass_handshake_on() {
    replace_header("Upgrade", "websocket");
    replace_header("Connection", "Upgrade");
    for (const char* name : {"sec-websocket-version", "sec-websocket-key"})
      replace_header(name, std::string(head_.field(name)));
    // The library cannot parse a list with an empty element.
    for (const std::string_view protocol : list_parts(head_.field("sec-websocket-protocol"))) {
      if (!protocol.empty()) append_header("sec-websocket-protocol", std::string(protocol));
    }
  }

  HeadEnd end_;
  std::string text_;  // of the header, until it is complete
  RequestHead head_;
  std::size_t body_missing_ = 0;
  bool ready_ = false;
};

}  // namespace auralis
