// SPDX-License-Identifier: MIT
// Rules of RFC 9110 and 9112 for the text of a request, as pure functions. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace auralis {

// The status that rejects the part of a request received so far; 0 while it is valid. `received` begins with
// the request line and may be incomplete: a client that speaks another protocol (a TLS handshake, HTTP/2) is
// answered at once, because it never sends the end of a request.
int head_fault(std::string_view received);

// Whether `line`, without its line end, ends with a later minor version of HTTP/1, which an HTTP/1.1 server
// treats as HTTP/1.1.
bool later_minor_version(std::string_view line);

// The path of a request target in origin-form or absolute-form, without the query, percent-encoded unreserved
// characters decoded; "*" for the asterisk-form. Nothing if the target is malformed.
std::optional<std::string> path_of_target(std::string_view target);

// The query of a request target, without its question mark; empty if it has none.
std::string_view query_of_target(std::string_view target);

// An event of a text/event-stream: `data`, a line or several, and the blank line that ends the event.
std::string event_message(std::string_view data);

// A time (seconds since the Unix epoch) in the format of the Date header.
std::string http_date(std::int64_t unix_s);

}  // namespace auralis
