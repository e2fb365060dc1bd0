// SPDX-License-Identifier: MIT
// Requests over HTTP and HTTPS, by OpenSSL's client. Any thread. One takes three seconds to connect and three
// to be answered at most, and as long as the system's resolver takes for a name.
#pragma once

#include <string>

namespace auralis {

// Whom a client of https speaks to: anybody, or a server whose certificate the system trusts for its name.
enum class HttpPeer { kAny, kTrusted };

struct HttpAnswer {
  int status = 0;       // 0: none came; 302 for every redirection
  std::string problem;  // empty: the status is 200. Names the URL without what may be secret: user and query
};

HttpAnswer http_get(const std::string& url, HttpPeer peer);

// Posts JSON.
HttpAnswer http_post(const std::string& url, const std::string& json, HttpPeer peer);

}  // namespace auralis
