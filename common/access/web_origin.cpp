// SPDX-License-Identifier: MIT
#include "common/access/web_origin.h"

#include "common/access/ip_address.h"
#include "common/base/text.h"

#include <charconv>

namespace auralis {
namespace {

constexpr std::size_t kLongestHost = 253;  // limit of DNS names

// ASCII only: browsers send internationalized names as Punycode.
bool is_host_name(std::string_view name) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789-._";
  return !name.empty() && name.size() <= kLongestHost &&
         name.find_first_not_of(kPlain) == std::string_view::npos;
}

bool is_scheme(std::string_view scheme) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
  return !scheme.empty() && 'a' <= scheme.front() && scheme.front() <= 'z' &&
         scheme.find_first_not_of(kPlain) == std::string_view::npos;
}

// Parses a host name without a port.
std::optional<std::string> host_name(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    const std::string_view inside = text.substr(1, text.size() - 2);
    const auto address = parse_ip_address(inside);
    if (!address || inside.find(':') == std::string_view::npos) return std::nullopt;
    return "[" + address->text() + "]";
  }
  std::string name = lower(text);
  return is_host_name(name) ? std::optional(std::move(name)) : std::nullopt;
}

}  // namespace

std::optional<WebHost> parse_web_host(std::string_view text) {
  // Find the port's colon: those of an IPv6 address are within brackets.
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  auto name = host_name(text.substr(0, colon));
  if (!name) return std::nullopt;
  if (colon == std::string_view::npos) return WebHost{std::move(*name), std::nullopt};
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  return WebHost{std::move(*name), port};
}

std::uint16_t default_port(std::string_view scheme) {
  if (scheme == "https") return 443;
  return scheme == "http" ? 80 : 0;
}

std::optional<WebOrigin> parse_web_origin(std::string_view text) {
  constexpr std::string_view kSeparator = "://";
  const auto end = text.find(kSeparator);
  if (end == std::string_view::npos) return std::nullopt;
  std::string scheme = lower(text.substr(0, end));
  auto host = parse_web_host(text.substr(end + kSeparator.size()));
  if (!is_scheme(scheme) || !host) return std::nullopt;
  const std::uint16_t port = host->port.value_or(default_port(scheme));
  return WebOrigin{std::move(scheme), std::move(host->name), port};
}

std::optional<AllowedOrigins> parse_allowed_origins(std::string_view text) {
  AllowedOrigins allowed;
  for (const std::string_view part : list_parts(text)) {
    if (part == "*") {
      allowed.any = true;
      continue;
    }
    auto origin = parse_web_origin(part);
    if (!origin) return std::nullopt;
    allowed.origins.push_back(std::move(*origin));
  }
  return allowed;
}

}  // namespace auralis
