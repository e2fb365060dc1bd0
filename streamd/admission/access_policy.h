// SPDX-License-Identifier: MIT
// Access control as configured: allowed origins, trusted proxies, the operators' token, tickets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/access/ip_address.h"
#include "common/access/secret_file.h"
#include "common/access/web_origin.h"
#include "common/config/config.h"
#include "streamd/api/http_api.h"

namespace auralis {

// The name of all operators, who share a token.
inline constexpr std::string_view kOperatorActor = "operator";

// Immutable. Any thread.
class AccessPolicy {
 public:
  // Reads the secret files. Throws SecretError.
  explicit AccessPolicy(const Config& config);

  // The client's address: the connection's peer, or, behind a trusted proxy, the address that the proxy
  // forwards.
  IpAddress client_of(const HttpRequest& request) const;
  // Whether a client has no limit per address: loopback, unless a trusted proxy uses it.
  bool is_exempt(const IpAddress& address) const;
  // Whether a connection's peer has no limit per address: loopback and trusted proxies carry many clients.
  bool is_exempt_peer(const IpAddress& peer) const;

  // Whether the request comes from an allowed origin, or from a client that is not a browser.
  bool origin_allowed(const HttpRequest& request) const;

  // Whether the client, or the proxy in front of it, used https.
  bool came_encrypted(const HttpRequest& request) const;

  bool is_operator(const HttpRequest& request) const;
  // Names a client in the log: "operator", or "client-" and a hash of its address, the same for all its
  // connections as long as this process runs. Addresses themselves are not logged.
  std::string actor(const IpAddress& client, bool is_operator) const;
  // The refusal of an operator call; nothing if the request carries the operators' token.
  std::optional<HttpResponse> operators_only(const HttpRequest& request) const;
  // Whether listeners may change the music of open stations (control_by).
  bool listeners_control() const { return listeners_control_; }

  // Why `ticket` does not admit to that station (`new`: a personal one); nothing if it does.
  std::optional<std::string> ticket_refusal(std::string_view ticket, std::string_view station,
                                            std::int64_t now_unix_s) const;

 private:
  std::vector<IpNetwork> proxies_;
  AllowedOrigins origins_;
  std::optional<Secret> token_;
  std::optional<Secret> ticket_key_;
  bool listeners_control_;
  std::uint64_t salt_;  // of actor()
};

}  // namespace auralis
