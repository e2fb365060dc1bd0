// SPDX-License-Identifier: MIT
// Where and how metricsd serves HTTP.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/config/config.h"

namespace auralis {

struct HttpEndpoint {
  // An IPv4 or IPv6 address, or localhost, which is 127.0.0.1; :: also serves IPv4 if the system does.
  std::string host;
  std::int64_t port = 0;          // 0: any that is free
  std::string tls_certificate{};  // paths of PEM files; both empty: without TLS
  std::string tls_key{};
  std::string password_file{};  // empty: no password is needed
};

// The user whose password is in HttpEndpoint::password_file.
inline constexpr std::string_view kHttpUser = "auralis";

HttpEndpoint http_endpoint(const Config& config);

// The host and, if it is an IPv6 address, the brackets that it needs in a URL.
std::string url_host(const std::string& host);

// Without a slash at its end.
std::string http_url(const HttpEndpoint& endpoint);

}  // namespace auralis
