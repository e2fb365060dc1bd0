// SPDX-License-Identifier: MIT
// Origins of web pages (RFC 6454), as browsers send them in the header Origin and as the configuration lists
// them. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auralis {

// A host as the header Host and an origin have it.
struct WebHost {
  std::string name;                   // in lower case; an IPv6 address as it is usually written, in brackets
  std::optional<std::uint16_t> port;  // if it is given
};

// Of `example.org`, `example.org:8000` or `[::1]:8000`; nothing where it is none of these.
std::optional<WebHost> parse_web_host(std::string_view text);

struct WebOrigin {
  std::string scheme;      // in lower case
  std::string host;        // as WebHost::name
  std::uint16_t port = 0;  // the scheme's own where none is given; 0 where that is not known
};
inline bool operator==(const WebOrigin& a, const WebOrigin& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

// 80 or 443; 0 for what is neither http nor https.
std::uint16_t default_port(std::string_view scheme);

// Of `https://example.org` and the like. Nothing for `null` and for all else.
std::optional<WebOrigin> parse_web_origin(std::string_view text);

// Whose pages may use the server, beside its own.
struct AllowedOrigins {
  bool any = false;  // `*` is among them
  std::vector<WebOrigin> origins;
};

// Some of them, separated by commas and any spaces; none in an empty text. Nothing where one is wrong.
std::optional<AllowedOrigins> parse_allowed_origins(std::string_view text);

}  // namespace auralis
