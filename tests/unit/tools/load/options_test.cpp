// SPDX-License-Identifier: MIT
#include "tools/load/options.h"

#include "tools/arguments.h"

#include <doctest/doctest.h>

#include <array>
#include <sstream>

namespace auralis::load_options_test {
namespace {

// Of a command line that is neither --help nor --version.
LoadOptions parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "auralis-load");
  std::ostringstream out;
  return parse_load_options(static_cast<int>(words.size()), words.data(), out).value();
}

std::string refusal(const std::vector<const char*>& words) {
  try {
    parsed(words);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("options have defaults and ranges") {
  const LoadOptions usual = parsed({"ws://a"});
  CHECK(usual.listeners == 1);
  CHECK(usual.stalled == 0);
  CHECK(usual.protocol == "auralis.pcm.v1");
  CHECK(usual.server == 0);
  CHECK_FALSE(usual.json);
  const LoadOptions given =
      parsed({"ws://a", "--listeners", "30", "--stall", "30", "--ramp", "5", "--seconds", "0.5", "--protocol",
              "auralis.opus.v1", "--pid", "7", "--json"});
  CHECK(given.listeners == 30);
  CHECK(given.stalled == 30);
  CHECK(given.ramp == 5);
  CHECK(given.seconds == 0.5);
  CHECK(given.protocol == "auralis.opus.v1");
  CHECK(given.server == 7);
  CHECK(given.json);
  CHECK_FALSE(refusal({"ws://a", "--listeners", "2", "--stall", "3"}).empty());
  CHECK_FALSE(refusal({"ws://a", "--listeners", "0"}).empty());
  CHECK_FALSE(refusal({"http://a", "--protocol", "auralis.pcm.v1"}).empty());
}

TEST_CASE("what is missing, unknown or twice is refused") {
  CHECK(refusal({}).find("URL") != std::string::npos);
  CHECK(refusal({"ws://a", "--fast"}).find("--fast") == 0);
  CHECK_FALSE(refusal({"ws://a", "ws://b"}).empty());
}

TEST_CASE("--help and --version are answered") {
  for (const char* flag : {"--help", "--version"}) {
    const std::array<const char*, 2> words{"auralis-load", flag};
    std::ostringstream out;
    CHECK_FALSE(parse_load_options(2, words.data(), out));
    CHECK(out.str().find("auralis-load") != std::string::npos);
  }
}

}  // namespace auralis::load_options_test
