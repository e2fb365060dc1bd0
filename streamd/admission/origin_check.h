// SPDX-License-Identifier: MIT
// Whether a page may use the stream. A browser lets any page open a WebSocket to any server, and says whose
// page it is in the header Origin; nothing else tells a stranger's page from one's own. Pure; any thread.
#pragma once

#include <string_view>

#include "common/access/web_origin.h"

namespace auralis {

// `origin` and `host` are the headers as they came; `secure` says whether the browser is known to have come
// by https (came_by_https).
// - Without an Origin it is no browser, and is let in: a program may write any Origin that it likes.
// - A page of this server is let in: the origin's host and port are those that the browser asked for by Host,
//   where each has the port of the origin's scheme if it names none. A browser that came by https must have
//   an origin of https; one that did not, or behind a proxy that nobody said to trust, may have either.
// - Any other must be among `allowed`; `null` (a file, a sandbox) never is, unless all are.
bool origin_allowed(std::string_view origin, std::string_view host, bool secure,
                    const AllowedOrigins& allowed);

}  // namespace auralis
