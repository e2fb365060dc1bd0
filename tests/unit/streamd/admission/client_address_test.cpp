// SPDX-License-Identifier: MIT
#include "streamd/admission/client_address.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

namespace auralis::client_address_test {
namespace {

IpAddress address(std::string_view text) { return parse_ip_address(text).value(); }

const std::vector<IpNetwork>& trusted() {
  static const auto networks = parse_ip_networks("127.0.0.1, 10.0.0.0/8, 2001:db8:ffff::/48").value();
  return networks;
}

std::string client(std::string_view peer, std::string_view header) {
  return client_address(address(peer), header, trusted()).text();
}

TEST_CASE("a stranger is not believed, whatever it says") {
  CHECK(client("203.0.113.9", "") == "203.0.113.9");
  CHECK(client("203.0.113.9", "192.0.2.1") == "203.0.113.9");
  CHECK(client("203.0.113.9", "127.0.0.1, 10.0.0.1") == "203.0.113.9");
  CHECK(client_address(address("127.0.0.1"), "192.0.2.1", {}).text() == "127.0.0.1");
}

TEST_CASE(
    "a trusted proxy is believed, and so is one that it trusts, but no address before an untrusted one") {
  CHECK(client("10.0.0.1", "192.0.2.1") == "192.0.2.1");
  CHECK(client("::ffff:10.0.0.1", "192.0.2.1") == "192.0.2.1");
  CHECK(client("10.0.0.1", "198.51.100.66, 192.0.2.1") == "192.0.2.1");
  CHECK(client("10.0.0.1", "198.51.100.66, 192.0.2.1, 10.2.3.4,127.0.0.1") == "192.0.2.1");
  CHECK(client("10.0.0.1", "127.0.0.1, 192.0.2.1") == "192.0.2.1");
  CHECK(client("2001:db8:ffff::1", "2001:db8::7") == "2001:db8::7");
  CHECK(client("10.0.0.1", "::ffff:192.0.2.1") == "192.0.2.1");
}

TEST_CASE("where all are trusted the first one asks") {
  CHECK(client("10.0.0.1", "10.0.0.3, 10.0.0.2") == "10.0.0.3");
  CHECK(client("10.0.0.1", "") == "10.0.0.1");
}

TEST_CASE("a client's port is left out") {
  CHECK(client("10.0.0.1", "192.0.2.1:4711") == "192.0.2.1");
  CHECK(client("10.0.0.1", "[2001:db8::7]:4711") == "2001:db8::7");
  CHECK(client("10.0.0.1", "[2001:db8::7]") == "2001:db8::7");
  CHECK(client("10.0.0.1", "198.51.100.66, 10.0.0.2:80") == "198.51.100.66");
}

TEST_CASE("where rubbish stands the last one who is known asks") {
  for (const std::string rubbish : {"unknown",     "_hidden",
                                    " ",           ",",
                                    ", ,",         "example.org",
                                    "192.0.2.1;",  "192.0.2.1:99999",
                                    "192.0.2.256", "\"192.0.2.1\"",
                                    "[192.0.2.1]", "[",
                                    "[]",          "]",
                                    ":",           "192.0.2.1 198.51.100.66",
                                    "10.0.0.0/8",  "for=192.0.2.1",
                                    "\xff\xfe",    "192.0.2.1\r\nX: y",
                                    "-1",          "%",
                                    "::%",         "fe80::1%"}) {
    CAPTURE(rubbish);
    CHECK(client("10.0.0.1", rubbish) == "10.0.0.1");
    CHECK(client("10.0.0.1", "192.0.2.9," + rubbish + ",10.0.0.2") == "10.0.0.2");
    CHECK(client("10.0.0.1", rubbish + ", 192.0.2.9") == "192.0.2.9");
  }
  CHECK(client("10.0.0.1", std::string("192.0.2.1\0", 10)) == "10.0.0.1");
  CHECK(client("10.0.0.1", std::string(1'000'000, ',')) == "10.0.0.1");
  CHECK(client("10.0.0.1", std::string(1'000'000, '1')) == "10.0.0.1");
}

TEST_CASE("whether a browser came by https a trusted proxy says, else the connection") {
  const auto secure = [](bool tls, std::string_view peer, std::string_view header) {
    return came_by_https(tls, address(peer), header, trusted());
  };
  CHECK(secure(true, "203.0.113.9", ""));
  CHECK_FALSE(secure(false, "203.0.113.9", ""));
  CHECK_FALSE(secure(false, "203.0.113.9", "https"));
  CHECK(secure(true, "203.0.113.9", "http"));
  CHECK(secure(false, "10.0.0.1", "https"));
  CHECK(secure(false, "10.0.0.1", " HTTPS , http"));
  CHECK_FALSE(secure(true, "10.0.0.1", "http"));
  CHECK_FALSE(secure(true, "10.0.0.1", "http, https"));
  CHECK(secure(true, "10.0.0.1", ""));
  CHECK_FALSE(secure(false, "10.0.0.1", ","));
  CHECK_FALSE(secure(false, "10.0.0.1", "httpsx"));
}

TEST_CASE("this machine has no limit of its own, unless its proxy stands for others") {
  CHECK(exempt_from_limits(address("127.0.0.1"), {}));
  CHECK(exempt_from_limits(address("::1"), trusted()));
  CHECK_FALSE(exempt_from_limits(address("127.0.0.1"), trusted()));
  CHECK_FALSE(exempt_from_limits(address("10.0.0.1"), {}));
}

}  // namespace
}  // namespace auralis::client_address_test
