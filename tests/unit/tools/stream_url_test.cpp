// SPDX-License-Identifier: MIT
#include "tools/stream_url.h"

#include "tools/arguments.h"

#include <doctest/doctest.h>

#include <netinet/in.h>

#include <stdexcept>

namespace auralis::stream_url_test {
namespace {

std::string refusal(const std::string& text) {
  try {
    parse_stream_url(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a URL is a host, a port and a target, with defaults") {
  const StreamUrl whole = parse_stream_url("ws://example.org:8000/ws/stream?station=day#part");
  CHECK(whole.websocket);
  CHECK(whole.host == "example.org");
  CHECK(whole.port == "8000");
  CHECK(whole.target == "/ws/stream?station=day");
  CHECK(whole.authority() == "example.org:8000");
  CHECK(parse_stream_url("ws://example.org").port == "80");
  CHECK(parse_stream_url("ws://example.org").target == "/ws/stream");
  CHECK(parse_stream_url("ws://example.org?station=day").target == "/ws/stream?station=day");
  const StreamUrl plain = parse_stream_url("http://example.org:8000");
  CHECK_FALSE(plain.websocket);
  CHECK(plain.target == "/");
}

TEST_CASE("an IPv6 address stands in brackets") {
  const StreamUrl url = parse_stream_url("ws://[::1]:8000/");
  CHECK(url.host == "::1");
  CHECK(url.port == "8000");
  CHECK(url.authority() == "[::1]:8000");
  CHECK(parse_stream_url("ws://[::1]/").port == "80");
}

TEST_CASE("a URL that is none is refused, with the reason") {
  CHECK(refusal("wss://example.org").find("ws://") != std::string::npos);
  CHECK_FALSE(refusal("example.org").empty());
  CHECK(refusal("ws://:8000/").find("host") != std::string::npos);
  for (const char* port : {"ws://a:/", "ws://a:0/", "ws://a:65536/", "ws://a:8x/", "ws://a:-1/"}) {
    CAPTURE(port);
    CHECK(refusal(port).find("port") != std::string::npos);
  }
  CHECK_FALSE(refusal("ws://a/ x").empty());
  CHECK_FALSE(refusal("ws://a/\r\nHost: b").empty());
}

TEST_CASE("an address is looked up, and a host that is none is an error with its name") {
  const ServerAddress server = resolve(parse_stream_url("ws://127.0.0.1:8000/"));
  const auto& address = reinterpret_cast<const sockaddr_in&>(server.address);
  CHECK(server.size == sizeof address);
  CHECK(ntohl(address.sin_addr.s_addr) == INADDR_LOOPBACK);
  CHECK(ntohs(address.sin_port) == 8'000);
  CHECK_THROWS_WITH_AS(resolve(parse_stream_url("ws://256.0.0.1/")), doctest::Contains("256.0.0.1"),
                       std::runtime_error);
}

}  // namespace auralis::stream_url_test
