// SPDX-License-Identifier: MIT
// Within WebSocketServer alone: a request as websocketpp reads it, by our own parser. The library's own
// refuses requests that ordinary proxies send, and answers those that it refuses without a word.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <websocketpp/http/request.hpp>

#include "common/base/text.h"
#include "streamd/net/http_head.h"

namespace auralis {

// The library calls it by static type: consume() and ready() hide its own. A request that cannot be served
// is shown to it as a plain one, for the HTTP handler to answer.
class ConnectionRequest : public websocketpp::http::parser::request {
 public:
  // Takes what belongs to the request, and returns how many bytes that is.
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

  // Once the head has come.
  const RequestHead& head() const { return head_; }
  bool waits_for_body() const { return end_.complete() && !ready_; }

 private:
  void read_head() {
    head_ = parse_request_head(std::exchange(text_, {}));
    if (!head_.fault && head_.content_length > get_max_body_size()) {
      head_.fault = HttpFault{413, "A body may have " + std::to_string(get_max_body_size()) + " bytes here."};
    }
    if (!head_.method.empty()) set_method(head_.method);
    set_version("HTTP/1.1");
    set_uri("/");
    if (head_.fault) return;
    body_missing_ = static_cast<std::size_t>(head_.content_length);
    if (is_handshake()) pass_handshake_on();
  }

  // Whether the library can answer it: a handshake of RFC 6455.
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
    // The library makes nothing of a list with an empty part.
    for (const std::string_view protocol : list_parts(head_.field("sec-websocket-protocol"))) {
      if (!protocol.empty()) append_header("sec-websocket-protocol", std::string(protocol));
    }
  }

  HeadEnd end_;
  std::string text_;  // of the head, until it is complete
  RequestHead head_;
  std::size_t body_missing_ = 0;
  bool ready_ = false;
};

}  // namespace auralis
