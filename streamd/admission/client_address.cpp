// SPDX-License-Identifier: MIT
#include "streamd/admission/client_address.h"

#include "common/access/web_origin.h"
#include "common/base/text.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

namespace auralis {
namespace {

// Some proxies append the client's port: 192.0.2.1:4711, [2001:db8::1]:4711.
std::optional<IpAddress> forwarded_address(std::string_view text) {
  if (const auto address = parse_ip_address(text)) return address;
  const auto host = parse_web_host(text);
  if (!host) return std::nullopt;
  std::string_view name = host->name;
  if (name.front() == '[') name = name.substr(1, name.size() - 2);
  return parse_ip_address(name);
}

}  // namespace

IpAddress client_address(const IpAddress& peer, std::string_view x_forwarded_for,
                         const std::vector<IpNetwork>& trusted) {
  IpAddress client = peer;
  std::string_view rest = x_forwarded_for;
  while (!rest.empty() && contains(trusted, client)) {
    const auto comma = rest.rfind(',');
    const bool leftmost = comma == std::string_view::npos;
    const auto before = forwarded_address(trimmed(leftmost ? rest : rest.substr(comma + 1)));
    if (!before) break;
    client = *before;
    rest = leftmost ? std::string_view() : rest.substr(0, comma);
  }
  return client;
}

bool came_by_https(bool tls, const IpAddress& peer, std::string_view x_forwarded_proto,
                   const std::vector<IpNetwork>& trusted) {
  // The first of several proxies talked to the browser.
  const std::string_view scheme = trimmed(x_forwarded_proto.substr(0, x_forwarded_proto.find(',')));
  if (scheme.empty() || !contains(trusted, peer)) return tls;
  return same_but_for_case(scheme, "https");
}

IpAddress client_network(const IpAddress& client) {
  constexpr std::ptrdiff_t kNetworkBytes = 8;
  IpAddress network = client;
  if (!client.is_v4()) std::fill(network.bytes.begin() + kNetworkBytes, network.bytes.end(), std::uint8_t{0});
  return network;
}

bool exempt_from_limits(const IpAddress& client, const std::vector<IpNetwork>& trusted) {
  return client.is_loopback() && !contains(trusted, client);
}

}  // namespace auralis
