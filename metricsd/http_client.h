// SPDX-License-Identifier: MIT
// Requests over HTTP and HTTPS, by OpenSSL's client. Any thread.
#pragma once

#include <string>

namespace auralis {

// Whom a client of https speaks to: anybody, or a server whose certificate the system trusts for its name.
enum class HttpPeer { kAny, kTrusted };

// GET. Empty if it answers 200 within three seconds, else the problem.
std::string http_get(const std::string& url, HttpPeer peer);

// POST of JSON. Likewise.
std::string http_post(const std::string& url, const std::string& json, HttpPeer peer);

}  // namespace auralis
