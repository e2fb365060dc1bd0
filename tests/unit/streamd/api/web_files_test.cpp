// SPDX-License-Identifier: MIT
#include "streamd/api/web_files.h"

#include <doctest/doctest.h>

namespace auralis::web_files_test {

TEST_CASE("find_web_file: the player's page stands at / and under its name, with its type") {
  const WebFile* page = find_web_file("/");
  REQUIRE(page != nullptr);
  CHECK(page->content_type == "text/html; charset=utf-8");
  CHECK(page->bytes == find_web_file("/index.html")->bytes);
  REQUIRE(find_web_file("/player.js") != nullptr);
  CHECK(find_web_file("/player.js")->content_type == "text/javascript; charset=utf-8");
}

TEST_CASE("find_web_file: what is not of the player's site is not there") {
  for (const char* path : {"", "/package.json", "/nothing.js", "player.js"}) {
    CHECK_MESSAGE(find_web_file(path) == nullptr, path);
  }
}

}  // namespace auralis::web_files_test
