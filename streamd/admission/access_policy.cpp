// SPDX-License-Identifier: MIT
#include "streamd/admission/access_policy.h"

#include <iomanip>
#include <random>
#include <sstream>

#include "common/access/ticket.h"
#include "common/base/fingerprint.h"
#include "streamd/admission/client_address.h"
#include "streamd/admission/origin_check.h"

namespace auralis {
namespace {

std::optional<Secret> secret_in(const std::string& path, const char* key) {
  if (path.empty()) return std::nullopt;
  try {
    return Secret::from_file(path);
  } catch (const SecretError& error) {
    throw SecretError(std::string(key) + ": " + error.what());
  }
}

std::uint64_t random_salt() {
  std::random_device random;
  return std::uint64_t{random()} << 32U | random();
}

}  // namespace

// The configuration has been validated, so parsing cannot fail.
AccessPolicy::AccessPolicy(const Config& config)
    : proxies_(parse_ip_networks(config.streamd.trusted_proxies).value()),
      origins_(parse_allowed_origins(config.streamd.allowed_origins).value()),
      token_(secret_in(config.streamd.token_file, "token_file")),
      ticket_key_(secret_in(config.streamd.ticket_key_file, "ticket_key_file")),
      listeners_control_(config.streamd.control_by == ControlBy::kListeners),
      salt_(random_salt()) {}

IpAddress AccessPolicy::client_of(const HttpRequest& request) const {
  return client_address(request.peer, request.forwarded_for, proxies_);
}

bool AccessPolicy::is_exempt(const IpAddress& address) const { return exempt_from_limits(address, proxies_); }

bool AccessPolicy::is_exempt_peer(const IpAddress& peer) const {
  return peer.is_loopback() || contains(proxies_, peer);
}

bool AccessPolicy::came_encrypted(const HttpRequest& request) const {
  return came_by_https(request.encrypted, request.peer, request.forwarded_proto, proxies_);
}

bool AccessPolicy::origin_allowed(const HttpRequest& request) const {
  return auralis::origin_allowed(request.origin, request.host, came_encrypted(request), origins_);
}

bool AccessPolicy::is_operator(const HttpRequest& request) const {
  return token_ && bearer_matches(request.authorization, *token_);
}

std::string AccessPolicy::actor(const IpAddress& client, bool is_operator) const {
  if (is_operator) return std::string(kOperatorActor);
  const std::uint64_t hash = Fingerprint().add(salt_).add(client.text()).value();
  std::ostringstream text;
  text << "client-" << std::hex << std::setw(8) << std::setfill('0') << (hash & 0xffffffffU);
  return text.str();
}

std::optional<HttpResponse> AccessPolicy::operators_only(const HttpRequest& request) const {
  if (!token_) {
    return error_response(
        403, {"not_allowed", "Operators only, and no operator token is configured (token_file).", {}});
  }
  if (is_operator(request)) return std::nullopt;
  HttpResponse response = error_response(
      401, {"not_allowed", "Operators only: send the operator token as Authorization: Bearer.", {}});
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

std::optional<std::string> AccessPolicy::ticket_refusal(std::string_view ticket, std::string_view station,
                                                        std::int64_t now_unix_s) const {
  if (!ticket_key_) return std::nullopt;
  const TicketOutcome outcome = check_ticket(ticket, station, *ticket_key_, now_unix_s);
  if (outcome == TicketOutcome::kValid) return std::nullopt;
  return std::string(sentence(outcome));
}

}  // namespace auralis
