// SPDX-License-Identifier: MIT
// What RFC 9110 and 9112 say of a request's text, as pure functions. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace auralis {

// The status that refuses what has been received of a request so far; 0 while nothing is wrong with it.
// `received` begins with the request line and need not be whole, so that what is no HTTP/1 (a TLS handshake,
// HTTP/2) is answered before a client has waited for an end that it does not send.
int head_fault(std::string_view received);

// Whether `line`, without its line end, ends with a version that a server of HTTP/1.1 takes for HTTP/1.1: a
// later minor one of the same major.
bool later_minor_version(std::string_view line);

// The path of a request target in origin-form or absolute-form, without the query, percent-encoded unreserved
// characters decoded; "*" for the asterisk-form. Nothing if the target is malformed.
std::optional<std::string> path_of_target(std::string_view target);

// Whether `value` can be that of a Host header: a name or an address, maybe a port; also empty.
bool valid_host(std::string_view value);

// A moment (seconds since the Unix epoch) as the Date header has it.
std::string http_date(std::int64_t unix_s);

}  // namespace auralis
