// SPDX-License-Identifier: MIT
// The client behind reverse proxies, whose headers count only if the operator trusts the proxy. Pure. Any
// thread. Never throws for any header content.
#pragma once

#include <string_view>
#include <vector>

#include "common/access/ip_address.h"

namespace auralis {

// The client of a connection from `peer`. A trusted proxy appends the address it received the request from to
// X-Forwarded-For (several headers are joined by commas), so the list is read from the right; entries left of
// an untrusted address may be forged. An unreadable entry ends the walk at the last known address.
IpAddress client_address(const IpAddress& peer, std::string_view x_forwarded_for,
                         const std::vector<IpNetwork>& trusted);

// Whether the browser used https: `tls` for the connection itself, X-Forwarded-Proto for the one to a trusted
// proxy.
bool came_by_https(bool tls, const IpAddress& peer, std::string_view x_forwarded_proto,
                   const std::vector<IpNetwork>& trusted);

// Identifies a client for limits: its address, or the /64 of an IPv6 address, since the client chooses the
// rest.
IpAddress client_network(const IpAddress& client);

// Whether a client has no limit per address: programs on this machine, unless a trusted proxy on it stands
// for clients that it does not name.
bool exempt_from_limits(const IpAddress& client, const std::vector<IpNetwork>& trusted);

}  // namespace auralis
