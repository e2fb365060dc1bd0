// SPDX-License-Identifier: MIT
#include "common/access/web_origin.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace auralis::web_origin_test {
namespace {

TEST_CASE("an origin without a port has its scheme's default port") {
  for (const auto& [written, origin] : std::initializer_list<std::pair<std::string, WebOrigin>>{
           {"https://example.org", {"https", "example.org", 443}},
           {"http://example.org", {"http", "example.org", 80}},
           {"HTTPS://Example.ORG", {"https", "example.org", 443}},
           {"https://example.org:443", {"https", "example.org", 443}},
           {"http://example.org:8000", {"http", "example.org", 8'000}},
           {"http://[::1]:8000", {"http", "[::1]", 8'000}},
           {"http://[0:0:0:0:0:0:0:1]", {"http", "[::1]", 80}},
           {"http://192.0.2.1", {"http", "192.0.2.1", 80}},
           {"https://xn--bcher-kva.example", {"https", "xn--bcher-kva.example", 443}},
           {"capacitor://localhost", {"capacitor", "localhost", 0}},
       }) {
    REQUIRE(parse_web_origin(written));
    CHECK(*parse_web_origin(written) == origin);
  }
}

TEST_CASE("invalid origins are rejected") {
  for (const std::string text : {"",
                                 "null",
                                 "*",
                                 "example.org",
                                 "https:example.org",
                                 "https://",
                                 "://example.org",
                                 "https://example.org/",
                                 "https://example.org/player",
                                 "https://user@example.org",
                                 "https://example.org?x",
                                 "https://a b",
                                 " https://a",
                                 "https://a,https://b",
                                 "https://example.org:",
                                 "https://example.org:0",
                                 "https://example.org:65536",
                                 "https://example.org:-1",
                                 "https://example.org:80:80",
                                 "https://[::1",
                                 "https://::1",
                                 "https://[]",
                                 "https://[1.2.3.4]",
                                 "https://[::1]x",
                                 "1https://a",
                                 "https://\xc3\xbc",
                                 "https://a\r\nX: y"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_web_origin(text));
  }
  CHECK_FALSE(parse_web_origin("https://" + std::string(254, 'a')));
  CHECK_FALSE(parse_web_origin(std::string("https://a\0", 10)));
}

TEST_CASE("a host is separated from its port") {
  CHECK(parse_web_host("Example.org")->name == "example.org");
  CHECK_FALSE(parse_web_host("example.org")->port);
  CHECK(parse_web_host("example.org:8000")->port == 8'000);
  CHECK(parse_web_host("[2001:DB8::1]:8000")->name == "[2001:db8::1]");
  CHECK(parse_web_host("[2001:DB8::1]:8000")->port == 8'000);
  CHECK_FALSE(parse_web_host("[2001:db8::1]")->port);
  for (const std::string text : {"", ":", ":8000", "a:b", "a:8000x", "::1", "a]", "[::1]]:80", "a/b"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_web_host(text));
  }
}

TEST_CASE("a list with an invalid entry is rejected as a whole; a list may allow any origin") {
  CHECK(parse_allowed_origins("")->origins.empty());
  CHECK_FALSE(parse_allowed_origins("")->any);
  const auto two = parse_allowed_origins(" https://example.org ,http://localhost:3000");
  REQUIRE(two);
  CHECK(two->origins.size() == 2);
  CHECK_FALSE(two->any);
  CHECK(parse_allowed_origins("*")->any);
  CHECK(parse_allowed_origins("https://example.org,*")->any);
  for (const std::string text : {",", "https://example.org,", "https://*.example.org", "null", "**"})
    CHECK_FALSE(parse_allowed_origins(text));
}

}  // namespace
}  // namespace auralis::web_origin_test
