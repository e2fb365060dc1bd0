// SPDX-License-Identifier: MIT
#include "common/access/ip_address.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace auralis::ip_address_test {
namespace {

IpAddress address(std::string_view text) {
  const auto parsed = parse_ip_address(text);
  REQUIRE_MESSAGE(parsed, std::string(text));
  return *parsed;
}

bool holds(std::string_view network, std::string_view inside) {
  const auto parsed = parse_ip_network(network);
  REQUIRE_MESSAGE(parsed, std::string(network));
  return parsed->contains(address(inside));
}

TEST_CASE("an address is written in its usual notation, however it was given") {
  for (const auto& [given, written] : std::initializer_list<std::pair<std::string, std::string>>{
           {"192.0.2.1", "192.0.2.1"},
           {"::ffff:192.0.2.1", "192.0.2.1"},
           {"::FFFF:c000:201", "192.0.2.1"},
           {"2001:DB8:0:0::1", "2001:db8::1"},
           {"fe80::1%eth0", "fe80::1"},
           {"::", "::"},
           {"0.0.0.0", "0.0.0.0"},
       }) {
    CHECK(address(given).text() == written);
  }
}

TEST_CASE("a client has the same address on IPv4 and IPv6 sockets") {
  CHECK(address("::ffff:192.0.2.1") == address("192.0.2.1"));
  CHECK(address("::192.0.2.1") != address("192.0.2.1"));
  CHECK(address("192.0.2.1").is_v4());
  CHECK_FALSE(address("2001:db8::1").is_v4());
}

TEST_CASE("invalid addresses are rejected") {
  for (const std::string text : {"",
                                 " ",
                                 "1",
                                 "1.2.3",
                                 "1.2.3.4.5",
                                 "1.2.3.256",
                                 "1.2.3.04",
                                 "1.2.3.4 ",
                                 "0x7f.0.0.1",
                                 "::1::",
                                 ":::",
                                 "12345::",
                                 "1.2.3.4%eth0",
                                 "2001:db8::1%eth0",
                                 "fe80::1%",
                                 "%eth0",
                                 "[::1]",
                                 "1.2.3.4:80",
                                 "localhost",
                                 "10.0.0.0/8",
                                 "::ffff:1.2.3.4.5",
                                 "1111:2222:3333:4444:5555:6666:7777:8888:9999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_ip_address(text));
  }
  CHECK_FALSE(parse_ip_address(std::string("1.2.3.4\0x", 9)));
  CHECK_FALSE(parse_ip_address(std::string(100'000, ':')));
}

TEST_CASE("loopback is all of 127.0.0.0/8, and ::1") {
  for (const std::string text : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"})
    CHECK(address(text).is_loopback());
  for (const std::string text : {"128.0.0.1", "::", "::2", "0.0.0.0", "::127.0.0.1"})
    CHECK_FALSE(address(text).is_loopback());
}

TEST_CASE("a network contains the addresses that share its prefix, and no others") {
  CHECK(holds("10.0.0.0/8", "10.255.255.255"));
  CHECK_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  CHECK(holds("172.16.0.0/12", "172.31.255.255"));
  CHECK_FALSE(holds("172.16.0.0/12", "172.32.0.0"));
  CHECK(holds("192.0.2.128/25", "192.0.2.255"));
  CHECK_FALSE(holds("192.0.2.128/25", "192.0.2.127"));
  CHECK(holds("192.0.2.7", "::ffff:192.0.2.7"));
  CHECK_FALSE(holds("192.0.2.7", "192.0.2.6"));
  CHECK(holds("192.0.2.7/32", "192.0.2.7"));
  CHECK(holds("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK_FALSE(holds("2001:db8::/33", "2001:db8:8000::"));
  CHECK(holds("::1/128", "::1"));
  CHECK(holds("::ffff:10.0.0.0/104", "10.1.2.3"));
}

TEST_CASE("bits after the prefix are ignored") { CHECK(holds("10.1.2.3/8", "10.200.0.1")); }

TEST_CASE("a network can contain all IPv4 or all IPv6 addresses, and none of the other family") {
  CHECK(holds("0.0.0.0/0", "203.0.113.9"));
  CHECK_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  CHECK(holds("::/0", "2001:db8::1"));
  CHECK_FALSE(holds("::/0", "203.0.113.9"));
}

TEST_CASE("invalid networks are rejected") {
  for (const std::string text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0", "::/129", "::/99999999999", "10/8"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_ip_network(text));
  }
}

TEST_CASE("a list with an invalid entry is rejected as a whole") {
  CHECK(parse_ip_networks("")->empty());
  CHECK(parse_ip_networks(" \t")->empty());
  CHECK(parse_ip_networks("127.0.0.1")->size() == 1);
  const auto three = parse_ip_networks(" 127.0.0.1 ,10.0.0.0/8,\t2001:db8::/32");
  REQUIRE(three);
  CHECK(three->size() == 3);
  CHECK(contains(*three, address("10.9.9.9")));
  CHECK(contains(*three, address("2001:db8::5")));
  CHECK_FALSE(contains(*three, address("127.0.0.2")));
  CHECK_FALSE(contains({}, address("127.0.0.1")));
  for (const std::string text :
       {",", "127.0.0.1,", ",127.0.0.1", "127.0.0.1,,::1", "127.0.0.1 ::1", "127.0.0.1;::1"})
    CHECK_FALSE(parse_ip_networks(text));
}

}  // namespace
}  // namespace auralis::ip_address_test
