// SPDX-License-Identifier: MIT
#include "streamd/admission/address_rates.h"

#include <doctest/doctest.h>

#include <string>

namespace auralis::address_rates_test {
namespace {

IpAddress address(const std::string& text) { return parse_ip_address(text).value(); }

TEST_CASE("each client has a rate and a burst of its own") {
  AddressRates rates(2, 4, 100);
  for (const char* client : {"192.0.2.1", "192.0.2.2"}) {
    for (int i = 0; i < 4; ++i) CHECK(rates.take(address(client), 0));
    CHECK_FALSE(rates.take(address(client), 0));
  }
  CHECK_FALSE(rates.take(address("192.0.2.1"), kNsPerSecond / 2 - 1));
  CHECK(rates.take(address("192.0.2.1"), kNsPerSecond / 2));
  CHECK_FALSE(rates.take(address("192.0.2.1"), kNsPerSecond / 2));
}

TEST_CASE("a /64 of IPv6 is one client, an address of IPv4 another on either kind of socket") {
  AddressRates rates(1, 1, 100);
  CHECK(rates.take(address("2001:db8:0:1::1"), 0));
  CHECK_FALSE(rates.take(address("2001:db8:0:1:ffff::2"), 0));
  CHECK(rates.take(address("2001:db8:0:2::1"), 0));
  CHECK(rates.take(address("192.0.2.1"), 0));
  CHECK_FALSE(rates.take(address("::ffff:192.0.2.1"), 0));
  CHECK(rates.take(address("192.0.2.2"), 0));
}

TEST_CASE("no more clients are remembered than may be, and none that owes nothing is missed") {
  constexpr std::size_t kMost = 50;
  AddressRates rates(1, 1, kMost);
  const auto client = [](int number) {
    return address("10.0." + std::to_string(number / 256) + "." + std::to_string(number % 256));
  };
  for (int i = 0; i < 50; ++i) CHECK(rates.take(client(i), 0));
  CHECK_FALSE(rates.take(client(50), kNsPerSecond - 1));
  CHECK(rates.size() == kMost);
  CHECK(rates.take(client(50), kNsPerSecond));
  CHECK(rates.size() == 1);
  CHECK(rates.take(client(0), kNsPerSecond));
}

}  // namespace
}  // namespace auralis::address_rates_test
