// SPDX-License-Identifier: MIT
// Whose request it is where reverse proxies stand between: what they say is believed only of those that the
// operator trusts. Pure; any thread; whatever the headers have, nothing throws.
#pragma once

#include <string_view>
#include <vector>

#include "common/access/ip_address.h"

namespace auralis {

// The one who asks `peer`, whose connection it is. A trusted proxy says in X-Forwarded-For (several of the
// header are joined by commas) from whom it has the request, at the right; what stands left of an address
// that is not trusted was written by a stranger. Where nothing can be read, the last one who is known asks.
IpAddress client_address(const IpAddress& peer, std::string_view x_forwarded_for,
                         const std::vector<IpNetwork>& trusted);

// Whether a browser's page came by https: `tls` says it of the connection itself, X-Forwarded-Proto of the
// one to a trusted proxy.
bool came_by_https(bool tls, const IpAddress& peer, std::string_view x_forwarded_proto,
                   const std::vector<IpNetwork>& trusted);

// What stands for a client where clients are limited: its address, of IPv6 the first 64 bits, since the
// others are the client's to choose.
IpAddress client_network(const IpAddress& client);

// Programs on this machine have no limit of their own; but where a proxy on it is trusted, its address stands
// for clients that it does not name.
bool exempt_from_limits(const IpAddress& client, const std::vector<IpNetwork>& trusted);

}  // namespace auralis
