// SPDX-License-Identifier: MIT
#include "common/config/service_link.h"

#include <algorithm>
#include <array>

namespace auralis {
namespace {

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return '0' <= c && c <= '9'; });
}

bool is_address(std::string_view text) {
  return starts_with(text, "tcp://") || starts_with(text, "udp://") || starts_with(text, "sctp://");
}

// Whether `rest` can follow X_PORT_: 8000_TCP, then nothing, _PROTO, _PORT or _ADDR.
bool is_port_link(std::string_view rest, std::string_view text) {
  const std::size_t mark = std::min(rest.find('_'), rest.size());
  if (!is_number(rest.substr(0, mark))) return false;
  rest.remove_prefix(mark);
  constexpr std::array<std::string_view, 3> kProtocols{"_TCP", "_UDP", "_SCTP"};
  for (const std::string_view protocol : kProtocols) {
    if (!starts_with(rest, protocol)) continue;
    rest.remove_prefix(protocol.size());
    if (rest.empty()) return is_address(text);
    return rest == "_PROTO" || rest == "_PORT" || rest == "_ADDR";
  }
  return false;
}

// Whether `rest`, the part of a name from an underscore on, has the form of a service link.
bool ends_link(std::string_view rest, std::string_view text) {
  if (rest == "_SERVICE_HOST") return true;
  if (rest == "_SERVICE_PORT" || starts_with(rest, "_SERVICE_PORT_")) return is_number(text);
  if (rest == "_PORT") return is_address(text);
  return starts_with(rest, "_PORT_") && is_port_link(rest.substr(6), text);
}

}  // namespace

bool is_service_link(std::string_view variable, std::string_view text) {
  for (std::size_t at = variable.find('_'); at < variable.size(); at = variable.find('_', at + 1)) {
    if (ends_link(variable.substr(at), text)) return true;
  }
  return false;
}

}  // namespace auralis
