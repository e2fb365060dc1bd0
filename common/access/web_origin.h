// SPDX-License-Identifier: MIT
// Origins of web pages (RFC 6454), as sent in the Origin header and as listed in the configuration. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auralis {

// The host of a Host header or an origin.
struct WebHost {
  std::string name;                   // in lower case; an IPv6 address in its usual notation, in brackets
  std::optional<std::uint16_t> port;  // if given
};

// Parses `example.org`, `example.org:8000` or `[::1]:8000`; nothing for anything else.
std::optional<WebHost> parse_web_host(std::string_view text);

struct WebOrigin {
  std::string scheme;      // in lower case
  std::string host;        // as WebHost::name
  std::uint16_t port = 0;  // the scheme's default if none is given; 0 if that is unknown
};
inline bool operator==(const WebOrigin& a, const WebOrigin& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

// Default port of a scheme: 80 or 443; 0 if it is neither http nor https.
std::uint16_t default_port(std::string_view scheme);

// Parses an origin such as `https://example.org`; nothing for `null` and anything else.
std::optional<WebOrigin> parse_web_origin(std::string_view text);

// Origins whose pages may use the server, besides its own.
struct AllowedOrigins {
  bool any = false;  // `*` is among them
  std::vector<WebOrigin> origins;
};

// A comma-separated list of origins, spaces allowed; an empty text is an empty list. Nothing if an entry is
// invalid.
std::optional<AllowedOrigins> parse_allowed_origins(std::string_view text);

}  // namespace auralis
