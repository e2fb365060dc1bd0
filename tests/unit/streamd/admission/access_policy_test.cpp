// SPDX-License-Identifier: MIT
#include "streamd/admission/access_policy.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "common/access/ticket.h"
#include "tests/unit/support.h"

namespace auralis::access_policy_test {
namespace {

constexpr char kToken[] = "a-token-of-24-characters";
constexpr char kKey[] = "a-ticket-key-of-26-letters";
constexpr std::int64_t kNowS = 1'700'000'000;

IpAddress address(std::string_view text) { return parse_ip_address(text).value(); }

HttpRequest request_from(std::string_view peer) {
  HttpRequest request;
  request.peer = address(peer);
  request.host = "radio.example";
  return request;
}

class Secrets {
 public:
  std::string file(const char* name, const char* secret) const {
    const auto path = folder_.path() / name;
    test::write_file(path, secret);
    test::require(::chmod(path.c_str(), 0600) == 0, "chmod");
    return path.string();
  }

 private:
  test::TempDir folder_;
};

}  // namespace

TEST_CASE("the log names an operator as such, and a client by a hash that differs between processes") {
  const Config config;
  const AccessPolicy policy(config);
  const IpAddress client = address("192.0.2.1");
  CHECK(policy.actor(client, true) == "operator");
  const std::string name = policy.actor(client, false);
  CHECK(name.size() == std::string("client-").size() + 8);
  CHECK(policy.actor(client, false) == name);
  CHECK(policy.actor(address("192.0.2.2"), false) != name);
  CHECK(AccessPolicy(config).actor(client, false) != name);
}

TEST_CASE("a client is the peer, unless that is a trusted proxy, which names it") {
  Config config;
  config.streamd.trusted_proxies = "192.0.2.0/24";
  const AccessPolicy policy(config);
  HttpRequest request = request_from("198.51.100.7");
  request.forwarded_for = "203.0.113.9";
  CHECK(policy.client_of(request) == address("198.51.100.7"));
  request.peer = address("192.0.2.1");
  CHECK(policy.client_of(request) == address("203.0.113.9"));
}

TEST_CASE("loopback and trusted proxies have no limit per address, as peers; as clients loopback alone") {
  Config config;
  config.streamd.trusted_proxies = "192.0.2.1";
  const AccessPolicy policy(config);
  CHECK(policy.is_exempt_peer(address("127.0.0.1")));
  CHECK(policy.is_exempt_peer(address("192.0.2.1")));
  CHECK_FALSE(policy.is_exempt_peer(address("192.0.2.2")));
  CHECK(policy.is_exempt(address("::1")));
  CHECK_FALSE(policy.is_exempt(address("192.0.2.1")));
}

TEST_CASE("a page of another site is allowed only if its origin is configured") {
  Config config;
  config.streamd.allowed_origins = "https://player.example";
  const AccessPolicy policy(config);
  HttpRequest request = request_from("198.51.100.7");
  CHECK(policy.origin_allowed(request));
  request.origin = "http://radio.example";
  CHECK(policy.origin_allowed(request));
  request.origin = "https://player.example";
  CHECK(policy.origin_allowed(request));
  request.origin = "https://elsewhere.example";
  CHECK_FALSE(policy.origin_allowed(request));
  request.origin = "null";
  CHECK_FALSE(policy.origin_allowed(request));
}

TEST_CASE("https is known from the connection, or from a trusted proxy alone") {
  Config config;
  config.streamd.trusted_proxies = "192.0.2.1";
  const AccessPolicy policy(config);
  HttpRequest request = request_from("198.51.100.7");
  request.forwarded_proto = "https";
  CHECK_FALSE(policy.came_encrypted(request));
  request.peer = address("192.0.2.1");
  CHECK(policy.came_encrypted(request));
}

TEST_CASE("an operator shows the token, and is told how without it") {
  const Secrets secrets;
  Config config;
  config.streamd.token_file = secrets.file("token", kToken);
  const AccessPolicy policy(config);
  HttpRequest request = request_from("198.51.100.7");
  const auto refusal = policy.operators_only(request);
  REQUIRE(refusal);
  CHECK(refusal->status == 401);
  CHECK(refusal->headers.at(0) == std::pair<std::string, std::string>("WWW-Authenticate", "Bearer"));
  CHECK_FALSE(policy.is_operator(request));
  const std::string shown = std::string("Bearer ") + kToken;
  request.authorization = shown;
  CHECK(policy.is_operator(request));
  CHECK_FALSE(policy.operators_only(request));
}

TEST_CASE("without a configured token there is no operator, and the refusal names the key") {
  const AccessPolicy policy(Config{});
  HttpRequest request = request_from("127.0.0.1");
  request.authorization = "Bearer ";
  CHECK_FALSE(policy.is_operator(request));
  const auto refusal = policy.operators_only(request);
  REQUIRE(refusal);
  CHECK(refusal->status == 403);
  CHECK(refusal->body.find("token_file") != std::string::npos);
}

TEST_CASE("with a ticket key a listener needs a ticket for the station, with none no ticket is read") {
  const Secrets secrets;
  Config config;
  CHECK_FALSE(AccessPolicy(config).ticket_refusal("", "garden", kNowS));
  config.streamd.ticket_key_file = secrets.file("key", kKey);
  const AccessPolicy policy(config);
  const Secret key = Secret::from_file(config.streamd.ticket_key_file);
  const std::string ticket = signed_ticket({"garden", kNowS + 60}, key);
  CHECK_FALSE(policy.ticket_refusal(ticket, "garden", kNowS));
  CHECK(policy.ticket_refusal(ticket, "lake", kNowS) == std::string(sentence(TicketOutcome::kOtherStation)));
  CHECK(policy.ticket_refusal(ticket, "garden", kNowS + 60) ==
        std::string(sentence(TicketOutcome::kExpired)));
  CHECK(policy.ticket_refusal("", "garden", kNowS));
}

TEST_CASE("control_by decides whether listeners may change the music") {
  Config config;
  CHECK(AccessPolicy(config).listeners_control());
  config.streamd.control_by = ControlBy::kOperators;
  CHECK_FALSE(AccessPolicy(config).listeners_control());
}

TEST_CASE("a secret file that cannot be used is refused by its key and its path") {
  Config config;
  config.streamd.token_file = "/nowhere/token";
  try {
    const AccessPolicy policy(config);
    FAIL("accepted");
  } catch (const SecretError& error) {
    CHECK(std::string(error.what()).find("token_file: /nowhere/token") == 0);
  }
}

}  // namespace auralis::access_policy_test
