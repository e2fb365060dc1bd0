// SPDX-License-Identifier: MIT
#include "tools/load/options.h"

#include "tools/arguments.h"

#include <doctest/doctest.h>

#include <array>
#include <sstream>

namespace auralis::options_test {
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

TEST_CASE("a URL is a host, a port and a target, with defaults") {
  const LoadOptions whole = parsed({"ws://example.org:8000/ws/stream?station=day#part"});
  CHECK(whole.websocket);
  CHECK(whole.host == "example.org");
  CHECK(whole.port == "8000");
  CHECK(whole.target == "/ws/stream?station=day");
  CHECK(parsed({"ws://example.org"}).port == "80");
  CHECK(parsed({"ws://example.org"}).target == "/ws/stream");
  CHECK(parsed({"ws://example.org?station=day"}).target == "/ws/stream?station=day");
  const LoadOptions plain = parsed({"http://example.org:8000"});
  CHECK_FALSE(plain.websocket);
  CHECK(plain.target == "/");
  CHECK(plain.protocol.empty());
}

TEST_CASE("an IPv6 address stands in brackets") {
  CHECK(parsed({"ws://[::1]:8000/"}).host == "::1");
  CHECK(parsed({"ws://[::1]:8000/"}).port == "8000");
  CHECK(parsed({"ws://[::1]/"}).port == "80");
}

TEST_CASE("a URL that is none is refused, with the reason") {
  CHECK(refusal({"wss://example.org"}).find("ws://") != std::string::npos);
  CHECK_FALSE(refusal({"example.org"}).empty());
  CHECK(refusal({"ws://:8000/"}).find("host") != std::string::npos);
  for (const char* port : {"ws://a:/", "ws://a:0/", "ws://a:65536/", "ws://a:8x/", "ws://a:-1/"}) {
    CAPTURE(port);
    CHECK(refusal({port}).find("port") != std::string::npos);
  }
  CHECK_FALSE(refusal({"ws://a/ x"}).empty());
  CHECK_FALSE(refusal({"ws://a/\r\nHost: b"}).empty());
}

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

}  // namespace auralis::options_test
