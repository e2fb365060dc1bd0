// SPDX-License-Identifier: MIT
#include "streamd/admission/connection_limiter.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace auralis::connection_limiter_test {
namespace {

IpAddress address(std::string_view text) { return parse_ip_address(text).value(); }

bool no_proxy(const IpAddress&) { return false; }

std::optional<ConnectionLimiter::Permit> acquire(ConnectionLimiter& limiter, std::string_view client) {
  auto outcome = limiter.acquire(address(client));
  auto* permit = std::get_if<ConnectionLimiter::Permit>(&outcome);
  return permit != nullptr ? std::optional(std::move(*permit)) : std::nullopt;
}

std::optional<ConnectionLimiter::Refusal> refusal(ConnectionLimiter& limiter, std::string_view client) {
  const auto outcome = limiter.acquire(address(client));
  const auto* reason = std::get_if<ConnectionLimiter::Refusal>(&outcome);
  return reason != nullptr ? std::optional(*reason) : std::nullopt;
}

TEST_CASE("as many clients get a permit as there are, and the next one once a permit is free") {
  ConnectionLimiter limiter({2, 2}, no_proxy);
  auto first = acquire(limiter, "192.0.2.1");
  auto second = acquire(limiter, "192.0.2.2");
  CHECK(first);
  CHECK(second);
  CHECK(limiter.taken() == 2);
  CHECK(refusal(limiter, "192.0.2.3") == ConnectionLimiter::Refusal::kFull);
  CHECK(limiter.taken() == 2);
  first.reset();
  CHECK(limiter.taken() == 1);
  CHECK(acquire(limiter, "192.0.2.3"));
}

TEST_CASE("an address has its own limit, which others do not feel") {
  ConnectionLimiter limiter({10, 2}, no_proxy);
  auto first = acquire(limiter, "192.0.2.1");
  const auto second = acquire(limiter, "::ffff:192.0.2.1");
  CHECK(refusal(limiter, "192.0.2.1") == ConnectionLimiter::Refusal::kAddress);
  CHECK(limiter.taken_at(address("192.0.2.1")) == 2);
  CHECK(limiter.taken_at(address("192.0.2.2")) == 0);
  CHECK(acquire(limiter, "192.0.2.2"));
  first.reset();
  CHECK(limiter.taken_at(address("192.0.2.1")) == 1);
  CHECK(acquire(limiter, "192.0.2.1"));
}

TEST_CASE("at the total limit that is the reason for any client") {
  ConnectionLimiter limiter({1, 1}, no_proxy);
  const auto only = acquire(limiter, "192.0.2.1");
  CHECK(refusal(limiter, "192.0.2.1") == ConnectionLimiter::Refusal::kFull);
}

TEST_CASE("a /64 of IPv6 counts as one address, a /64 of mapped IPv4 does not") {
  ConnectionLimiter limiter({10, 1}, no_proxy);
  const auto first = acquire(limiter, "2001:db8:0:1::1");
  CHECK(refusal(limiter, "2001:db8:0:1:ffff::2") == ConnectionLimiter::Refusal::kAddress);
  CHECK(limiter.taken_at(address("2001:db8:0:1::9")) == 1);
  CHECK(acquire(limiter, "2001:db8:0:2::1"));
  const auto v4 = acquire(limiter, "192.0.2.1");
  CHECK(acquire(limiter, "192.0.2.2"));
  CHECK(acquire(limiter, "198.51.100.1"));
}

TEST_CASE("an exempt client has no limit of its own, but takes permits") {
  ConnectionLimiter limiter({3, 1}, [](const IpAddress& client) { return client.is_loopback(); });
  std::vector<ConnectionLimiter::Permit> permits;
  permits.reserve(3);
  for (int i = 0; i < 3; ++i) permits.push_back(acquire(limiter, "127.0.0.1").value());
  CHECK(refusal(limiter, "127.0.0.1") == ConnectionLimiter::Refusal::kFull);
  CHECK(refusal(limiter, "192.0.2.1") == ConnectionLimiter::Refusal::kFull);
  permits.clear();
  CHECK(limiter.taken() == 0);
}

TEST_CASE("a permit that is handed on frees its capacity once, and that of its address first") {
  ConnectionLimiter limiter({4, 4}, no_proxy);
  std::optional first = acquire(limiter, "192.0.2.1");
  ConnectionLimiter::Permit moved = std::move(*first);
  first.reset();
  CHECK(limiter.taken_at(address("192.0.2.1")) == 1);
  ConnectionLimiter::Permit other = acquire(limiter, "192.0.2.2").value();
  CHECK(limiter.taken() == 2);
  moved = std::move(other);
  CHECK(limiter.taken() == 1);
  CHECK(limiter.taken_at(address("192.0.2.1")) == 0);
  CHECK(limiter.taken_at(address("192.0.2.2")) == 1);
}

TEST_CASE("a permit may outlive the limiter") {
  auto limiter = std::make_unique<ConnectionLimiter>(ConnectionLimiter::Limits{1, 1}, no_proxy);
  auto permit = acquire(*limiter, "192.0.2.1");
  limiter.reset();
  permit.reset();
  CHECK_FALSE(permit);
}

}  // namespace
}  // namespace auralis::connection_limiter_test
