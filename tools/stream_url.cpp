// SPDX-License-Identifier: MIT
#include "tools/stream_url.h"

#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "common/base/http_text.h"
#include "tools/arguments.h"

namespace auralis {
namespace {

constexpr char kUsualTarget[] = "/ws/stream";

[[noreturn]] void refuse_url(const std::string& url, const std::string& why) {
  throw UsageError(shown(url) + ": " + why);
}

bool is_port(const std::string& text) {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  const auto number = std::stoul(text);
  return 1 <= number && number <= 65'535;
}

}  // namespace

std::string StreamUrl::authority() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + port;
}

StreamUrl parse_stream_url(const std::string& text) {
  StreamUrl url;
  url.text = text;
  const std::size_t scheme_end = text.find("://");
  const std::string scheme = text.substr(0, scheme_end == std::string::npos ? 0 : scheme_end);
  if (scheme != "ws" && scheme != "http") refuse_url(text, "must begin with ws:// or http://");
  url.websocket = scheme == "ws";
  const std::size_t host_begin = scheme_end + 3;
  const std::size_t host_end = std::min(text.find_first_of("/?#", host_begin), text.size());
  std::string authority = text.substr(host_begin, host_end - host_begin);
  url.target = text.substr(host_end, text.find('#', host_end) - host_end);
  if (url.target.empty() || url.target.front() == '?')
    url.target.insert(0, url.websocket ? kUsualTarget : "/");
  if (url.target.find_first_of(" \r\n\t") != std::string::npos) refuse_url(text, "must not have spaces");

  // The port is after the last colon, but an IPv6 address has some in brackets.
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  const bool has_port = colon != std::string::npos && (bracket == std::string::npos || bracket < colon);
  url.port = has_port ? authority.substr(colon + 1) : "80";
  if (has_port) authority.resize(colon);
  if (authority.size() > 2 && authority.front() == '[' && authority.back() == ']') {
    authority = authority.substr(1, authority.size() - 2);
  }
  if (authority.empty()) refuse_url(text, "has no host");
  if (!is_port(url.port)) refuse_url(text, "the port must be a number from 1 to 65535");
  url.host = authority;
  return url;
}

ServerAddress resolve(const StreamUrl& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found);
  if (error != 0) throw std::runtime_error(url.host + ": " + ::gai_strerror(error));
  ServerAddress server;
  server.size = found->ai_addrlen;
  std::memcpy(&server.address, found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return server;
}

}  // namespace auralis
