// SPDX-License-Identifier: MIT
#include "common/base/http_text.h"

#include <doctest/doctest.h>

#include <string>

namespace auralis::http_text_test {
namespace {

TEST_CASE("a host is a name or an address, with a port or without, or empty") {
  for (const char* good :
       {"", "localhost", "a.b-c_d~", "10.0.0.1:9464", "[::1]", "[::1]:80", "host:", "a%20b"}) {
    CHECK_MESSAGE(is_authority(good), good);
  }
  for (const char* bad : {"a b", "a/b", "a@b", "a?b", "a#b", "::1", "[::1", "[]", "[::1]a", "a:b", "a:123456",
                          "a:0", ":80", "a\\b", "caf\xe9"}) {
    CHECK_FALSE_MESSAGE(is_authority(bad), bad);
  }
}

TEST_CASE("three characters of percent-encoding are one character") {
  CHECK(percent_decoded("%41") == 'A');
  CHECK(percent_decoded("%7eabc") == '~');
  CHECK(percent_decoded("%00") == '\0');
  for (const char* bad : {"", "%", "%4", "%4g", "% 4", "%+4", "a41", "%-1"})
    CHECK_FALSE_MESSAGE(percent_decoded(bad), bad);
}

TEST_CASE("the characters of tokens and the unreserved ones are those of the RFCs") {
  const std::string letters_and_digits = "abcxyzABCXYZ019";
  const std::string tokens = letters_and_digits + "!#$%&'*+-.^_`|~", unreserved = letters_and_digits + "-._~";
  for (int code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    if (is_letter(c) || is_digit(c)) continue;
    CHECK_MESSAGE(is_token_char(c) == (tokens.find(c) != std::string::npos), code);
    CHECK_MESSAGE(is_unreserved(c) == (unreserved.find(c) != std::string::npos), code);
  }
  for (const char c : letters_and_digits) CHECK((is_token_char(c) && is_unreserved(c)));
}

}  // namespace
}  // namespace auralis::http_text_test
