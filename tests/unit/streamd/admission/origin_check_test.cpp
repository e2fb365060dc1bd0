// SPDX-License-Identifier: MIT
#include "streamd/admission/origin_check.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

namespace auralis::origin_check_test {
namespace {

bool own(std::string_view origin, std::string_view host, bool secure) {
  return origin_allowed(origin, host, secure, {});
}

TEST_CASE("a program that is no browser is let in") {
  CHECK(own("", "example.org", true));
  CHECK(own("", "", false));
}

TEST_CASE("the server's own pages are let in") {
  CHECK(own("http://example.org", "example.org", false));
  CHECK(own("http://example.org:8000", "example.org:8000", false));
  CHECK(own("http://Example.ORG", "EXAMPLE.org:80", false));
  CHECK(own("https://example.org", "example.org", true));
  CHECK(own("https://example.org", "example.org:443", true));
  CHECK(own("https://example.org:8443", "example.org:8443", true));
  CHECK(own("http://[::1]:8000", "[::1]:8000", false));
  CHECK(own("http://127.0.0.1:8000", "127.0.0.1:8000", false));
}

TEST_CASE("behind a proxy that is not trusted, https is not known") {
  CHECK(own("https://example.org", "example.org", false));
}

TEST_CASE("a stranger's page is not, nor one that was not as safe, nor one of another port") {
  CHECK_FALSE(own("https://evil.example", "example.org", true));
  CHECK_FALSE(own("http://example.org", "example.org", true));
  CHECK_FALSE(own("http://example.org:8000", "example.org", false));
  CHECK_FALSE(own("http://example.org", "example.org:8000", false));
  CHECK_FALSE(own("http://example.org.evil.example", "example.org", false));
  CHECK_FALSE(own("http://evilexample.org", "example.org", false));
  CHECK_FALSE(own("http://127.0.0.1:8000", "localhost:8000", false));
  CHECK_FALSE(own("moz-extension://example.org", "example.org", false));
}

TEST_CASE("a malformed origin or host is not allowed") {
  for (const std::string origin :
       {"null", "example.org", "http://example.org/", "http://user@example.org",
        "http://example.org http://evil.example", "http://", "http://example.org\xff"})
    CHECK_FALSE(own(origin, "example.org", false));
  for (const std::string host : {"", ":", "example.org:x", "example.org, example.org", "user@example.org"})
    CHECK_FALSE(own("http://example.org", host, false));
  CHECK_FALSE(own("http://", "", false));
}

TEST_CASE("other sites are let in that are listed, with their scheme and port") {
  const auto allowed =
      parse_allowed_origins("https://radio.example, http://localhost:3000, app://player").value();
  CHECK(origin_allowed("https://radio.example", "example.org", true, allowed));
  CHECK(origin_allowed("https://radio.example:443", "example.org", false, allowed));
  CHECK(origin_allowed("http://localhost:3000", "example.org", true, allowed));
  CHECK(origin_allowed("app://player", "example.org", true, allowed));
  CHECK(origin_allowed("https://example.org", "example.org", true, allowed));
  CHECK_FALSE(origin_allowed("http://radio.example", "example.org", false, allowed));
  CHECK_FALSE(origin_allowed("https://radio.example:8443", "example.org", true, allowed));
  CHECK_FALSE(origin_allowed("https://www.radio.example", "example.org", true, allowed));
  CHECK_FALSE(origin_allowed("null", "example.org", true, allowed));
}

TEST_CASE("all are let in where all are listed") {
  const auto all = parse_allowed_origins("*").value();
  for (const std::string origin : {"https://evil.example", "null", "file://", "rubbish"})
    CHECK(origin_allowed(origin, "example.org", true, all));
}

}  // namespace
}  // namespace auralis::origin_check_test
