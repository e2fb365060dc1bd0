// SPDX-License-Identifier: MIT
// IP addresses and networks as people and headers write them. An IPv4 address is stored as its IPv4-mapped
// IPv6 address (::ffff:192.0.2.1), so that a client has the same address on sockets of both families. Pure;
// any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr_storage;

namespace auralis {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  bool is_v4() const;
  bool is_loopback() const;  // 127.0.0.0/8 or ::1
  // The usual notation, IPv4 in dotted decimal: 192.0.2.1, 2001:db8::1
  std::string text() const;
};
inline bool operator==(const IpAddress& a, const IpAddress& b) { return a.bytes == b.bytes; }
inline bool operator!=(const IpAddress& a, const IpAddress& b) { return !(a == b); }

// The address of an IPv4 or IPv6 socket, without its port.
IpAddress ip_address_of(const sockaddr_storage& socket_address);

// Nothing if `text` is not an address. The zone of a link-local one (fe80::1%eth0) is dropped.
std::optional<IpAddress> parse_ip_address(std::string_view text);

// A network: the addresses that share a prefix.
struct IpNetwork {
  IpAddress address;
  unsigned prefix_bits = 128;  // of the 128 of the mapped form

  // An IPv6 network never contains an IPv4 address.
  bool contains(const IpAddress& other) const;
};

// An address, or a network in CIDR: 10.0.0.0/8, 2001:db8::/32.
std::optional<IpNetwork> parse_ip_network(std::string_view text);

// A comma-separated list of networks, spaces allowed; an empty text is an empty list. Nothing if an entry is
// invalid.
std::optional<std::vector<IpNetwork>> parse_ip_networks(std::string_view text);

bool contains(const std::vector<IpNetwork>& networks, const IpAddress& address);

}  // namespace auralis
