// SPDX-License-Identifier: MIT
#include "streamd/admission/origin_check.h"

#include <algorithm>

namespace auralis {
namespace {

bool is_own(const WebOrigin& origin, std::string_view host_header, bool secure) {
  const bool scheme_fits = origin.scheme == "https" || (origin.scheme == "http" && !secure);
  const auto host = parse_web_host(host_header);
  return scheme_fits && host && host->name == origin.host &&
         host->port.value_or(default_port(origin.scheme)) == origin.port;
}

}  // namespace

bool origin_allowed(std::string_view origin, std::string_view host, bool secure,
                    const AllowedOrigins& allowed) {
  if (origin.empty() || allowed.any) return true;
  const auto parsed = parse_web_origin(origin);
  if (!parsed) return false;
  const auto& others = allowed.origins;
  return is_own(*parsed, host, secure) || std::find(others.begin(), others.end(), *parsed) != others.end();
}

}  // namespace auralis
