// SPDX-License-Identifier: MIT
// Who may do what, by the configuration: pages of which origins, who counts as which address, who shows the
// operators' token, who needs a ticket.
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

// Any thread; never changes.
class AccessPolicy {
 public:
  // Reads the files of secrets. Throws SecretError.
  explicit AccessPolicy(const Config& config);

  // Where a request comes from: the other end, or, where that is a trusted proxy, who it says.
  IpAddress client_of(const HttpRequest& request) const;
  // Loopback has no limit of its own, unless it is a proxy's.
  bool is_exempt(const IpAddress& address) const;
  // Connections of this machine and of proxies have no limit of their own: they stand for many.
  bool is_exempt_peer(const IpAddress& peer) const;

  // Whether the page that asks, if it is one, may.
  bool origin_allowed(const HttpRequest& request) const;

  // Whether the client, or the proxy for it, came by https.
  bool came_encrypted(const HttpRequest& request) const;

  bool is_operator(const HttpRequest& request) const;
  // Why an operator's call is refused; nothing where it is not.
  std::optional<HttpResponse> operators_only(const HttpRequest& request) const;
  // Whether listeners may change the music of stations that are open.
  bool listeners_control() const { return listeners_control_; }

  // Why a listener is not let in to that station, `new` for one of its own; nothing where it is.
  std::optional<std::string> ticket_refusal(std::string_view ticket, std::string_view station,
                                            std::int64_t now_unix_s) const;

 private:
  std::vector<IpNetwork> proxies_;
  AllowedOrigins origins_;
  std::optional<Secret> token_;
  std::optional<Secret> ticket_key_;
  bool listeners_control_;
};

}  // namespace auralis
