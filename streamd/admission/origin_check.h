// SPDX-License-Identifier: MIT
// Checks the Origin header. A browser lets any page open a WebSocket to any server, and only Origin
// distinguishes foreign pages from our own. Pure. Any thread.
#pragma once

#include <string_view>

#include "common/access/web_origin.h"

namespace auralis {

// `origin` and `host`: the headers as received; `secure`: whether the browser is known to use https
// (came_by_https).
// - No Origin: not a browser, allowed, since a program can send any Origin it likes.
// - Same origin: allowed. Host and port of Origin equal those of Host, each with the default port of the
// origin's scheme
//   if it names none. If `secure`, the origin's scheme must be https; else, also behind an untrusted proxy,
//   either.
// - Otherwise it must be in `allowed`; `null` (a file, a sandbox) never is, unless any origin is allowed.
bool origin_allowed(std::string_view origin, std::string_view host, bool secure,
                    const AllowedOrigins& allowed);

}  // namespace auralis
