// SPDX-License-Identifier: MIT
#include "common/access/ip_address.h"

#include "common/base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace auralis {
namespace {

constexpr std::size_t kMappedBytes = 12;  // before the four of IPv4
constexpr unsigned kMappedBits = 96;
constexpr std::array<std::uint8_t, kMappedBytes> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_link_local(const IpAddress& address) {
  return address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0U) == 0x80;
}

std::string_view without_zone(std::string_view text) { return text.substr(0, text.find('%')); }

std::optional<unsigned> number_up_to(std::string_view digits, unsigned most) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole && number <= most ? std::optional(number) : std::nullopt;
}

}  // namespace

bool IpAddress::is_v4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes[kMappedBytes] == 127;
  constexpr IpAddress kLoopback{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  return *this == kLoopback;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = is_v4();
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes.data() + (v4 ? kMappedBytes : 0), text.data(), text.size());
  return text.data();
}

IpAddress ip_address_of(const sockaddr_storage& socket_address) {
  IpAddress address;
  if (socket_address.ss_family == AF_INET6) {
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(socket_address).sin6_addr,
                address.bytes.size());
  } else {
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
    std::memcpy(address.bytes.data() + kMappedBytes,
                &reinterpret_cast<const sockaddr_in&>(socket_address).sin_addr, sizeof(in_addr));
  }
  return address;
}

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  const std::string plain(without_zone(text));
  // Reject zero bytes: inet_pton would ignore everything after one.
  if (plain.size() >= INET6_ADDRSTRLEN || plain.find('\0') != std::string::npos) return std::nullopt;
  IpAddress address;
  const bool has_zone = plain.size() != text.size();
  if (inet_pton(AF_INET6, plain.c_str(), address.bytes.data()) == 1) {
    const bool zone_fits = is_link_local(address) && text.size() > plain.size() + 1;
    return has_zone && !zone_fits ? std::nullopt : std::optional(address);
  }
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
  if (has_zone || inet_pton(AF_INET, plain.c_str(), address.bytes.data() + kMappedBytes) != 1)
    return std::nullopt;
  return address;
}

bool IpNetwork::contains(const IpAddress& other) const {
  if (address.is_v4() != other.is_v4()) return false;
  const std::size_t whole_bytes = prefix_bits / 8;
  const auto end = address.bytes.begin() + static_cast<std::ptrdiff_t>(whole_bytes);
  if (!std::equal(address.bytes.begin(), end, other.bytes.begin())) return false;
  const unsigned rest = prefix_bits % 8;
  if (rest == 0) return true;
  const unsigned difference =
      static_cast<unsigned>(address.bytes.at(whole_bytes) ^ other.bytes.at(whole_bytes));
  return difference >> (8 - rest) == 0;
}

std::optional<IpNetwork> parse_ip_network(std::string_view text) {
  const auto slash = text.find('/');
  const std::string_view address_text = text.substr(0, slash);
  const auto address = parse_ip_address(address_text);
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return IpNetwork{*address, 128};
  const bool with_points = address_text.find(':') == std::string_view::npos;
  const unsigned before = with_points ? kMappedBits : 0;
  const auto prefix = number_up_to(text.substr(slash + 1), 128 - before);
  return prefix ? std::optional(IpNetwork{*address, before + *prefix}) : std::nullopt;
}

std::optional<std::vector<IpNetwork>> parse_ip_networks(std::string_view text) {
  std::vector<IpNetwork> networks;
  for (const std::string_view part : list_parts(text)) {
    const auto network = parse_ip_network(part);
    if (!network) return std::nullopt;
    networks.push_back(*network);
  }
  return networks;
}

bool contains(const std::vector<IpNetwork>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const IpNetwork& network) { return network.contains(address); });
}

}  // namespace auralis
