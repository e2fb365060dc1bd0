// SPDX-License-Identifier: MIT
#include "common/base/wrapped_text.h"

#include <doctest/doctest.h>

namespace auralis::wrapped_text_test {

TEST_CASE("words fill lines, and none is cut") {
  CHECK(wrapped("", 10, "|").empty());
  CHECK(wrapped("a few words", 20, "|") == "a few words");
  CHECK(wrapped("a few words", 5, "|") == "a few|words");
  CHECK(wrapped("a few  words\nmore", 9, "|") == "a few|words|more");
  CHECK(wrapped("extraordinarily long", 4, "|") == "extraordinarily|long");
}

}  // namespace auralis::wrapped_text_test
