// SPDX-License-Identifier: MIT
// The head of a request, HTTP/1.0 or HTTP/1.1 (RFC 9112), as it comes from clients and from proxies. Pure:
// knows no network. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace auralis {

// Finds the end of a head in bytes that come piece by piece: the first empty line after the request line. A
// line ends with CRLF or with LF alone.
class HeadEnd {
 public:
  // Takes what belongs to the head, its empty line included, and returns how many bytes that is. 0 once the
  // head is complete.
  std::size_t take(std::string_view bytes);
  bool complete() const { return complete_; }
  // Bytes taken.
  std::size_t length() const { return length_; }

 private:
  std::size_t length_ = 0;
  bool line_empty_ = true;
  bool begun_ = false;  // the request line has come; empty lines before it do not count (RFC 9112, 2.2)
  bool complete_ = false;
};

// Why a request is not served, whatever it asks for.
struct HttpFault {
  int status = 400;
  std::string sentence;
};

struct RequestHead {
  std::string method;
  // Path and query, also where the target was an absolute URL, with those percent-encodings undone that
  // change nothing (RFC 3986, 6.2.2.2); `*` as it is.
  std::string target;
  bool old_version = false;  // HTTP/1.0: neither chunked coding nor an upgrade nor 100 Continue
  // By name in lower case; several of one name are joined by commas. The host is that of the target where
  // that was an absolute URL.
  std::map<std::string, std::string> fields;
  std::uint64_t content_length = 0;
  bool chunked = false;
  std::optional<HttpFault> fault;  // set: only `method` can be relied on, which is empty where it is none

  // The field's value; empty where there is none. `name` in lower case.
  std::string_view field(const std::string& name) const;
  // Whether the client waits for 100 Continue before it sends the body.
  bool expects_continue() const;
  // Whether it asks for the WebSocket protocol; the handshake's own fields may still be wrong.
  bool asks_for_websocket() const;
};

// Of a head up to its end as HeadEnd finds it. Never throws for anything that a client can send.
RequestHead parse_request_head(std::string_view head);

}  // namespace auralis
