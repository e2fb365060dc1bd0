// SPDX-License-Identifier: MIT
#include "streamd/api/web_files.h"

#include <doctest/doctest.h>

#include <string>

namespace auralis::web_files_test {

TEST_CASE("find_web_file: the player's page stands at / and under its name, with its type") {
  const WebFile* page = find_web_file("/");
  REQUIRE(page != nullptr);
  CHECK(page->content_type == "text/html; charset=utf-8");
  CHECK(page->bytes == find_web_file("/index.html")->bytes);
  // What a browser keeps for ever is named by its version.
  const WebFile* const script = find_web_file("/player.js");
  REQUIRE(script != nullptr);
  CHECK(page->bytes.find("player.js?v=" + std::string(script->version)) != std::string_view::npos);
  for (const std::string name : {"threads.js", "qr_code.js"}) {
    CAPTURE(name);
    const WebFile* const other = find_web_file("/" + name);
    REQUIRE(other != nullptr);
    CHECK(script->bytes.find(name + "?v=" + std::string(other->version)) != std::string_view::npos);
  }
  CHECK(find_web_file("/player.js")->content_type == "text/javascript; charset=utf-8");
}

TEST_CASE("find_web_file: what is not of the player's site is not there") {
  for (const char* path : {"", "/package.json", "/connection.js", "/nothing.js", "player.js"}) {
    CHECK_MESSAGE(find_web_file(path) == nullptr, path);
  }
}

}  // namespace auralis::web_files_test
