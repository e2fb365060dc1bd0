// SPDX-License-Identifier: MIT
#include "common/base/text.h"

#include <doctest/doctest.h>

namespace auralis::text_test {
namespace {

using Parts = std::vector<std::string_view>;

TEST_CASE("spaces and tabs are trimmed at both ends, and kept within") {
  CHECK(trimmed(" \t a b\t") == "a b");
  CHECK(trimmed("a") == "a");
  CHECK(trimmed(" \t ").empty());
  CHECK(trimmed("").empty());
  CHECK(trimmed("\ra\n") == "\ra\n");
}

TEST_CASE("a list is split at commas, and its empty parts are kept") {
  CHECK(list_parts("a, b ,c") == Parts{"a", "b", "c"});
  CHECK(list_parts("a") == Parts{"a"});
  CHECK(list_parts(",a,,") == Parts{"", "a", "", ""});
  CHECK(list_parts(" \t").empty());
}

TEST_CASE("case is ignored for ASCII letters alone") {
  CHECK(lower(std::string_view("Keep-ALIVE@[")) == "keep-alive@[");
  CHECK(same_but_for_case("Upgrade", "uPGRADE"));
  CHECK_FALSE(same_but_for_case("Upgrade", "Upgrad"));
  CHECK_FALSE(same_but_for_case("@", "`"));
  CHECK_FALSE(same_but_for_case("\xC4", "\xE4"));
}

}  // namespace
}  // namespace auralis::text_test
