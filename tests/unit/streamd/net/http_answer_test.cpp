// SPDX-License-Identifier: MIT
#include "streamd/net/http_answer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace auralis::http_answer_test {
namespace {

bool has_line(const std::string& head, const std::string& line) {
  return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

}  // namespace

TEST_CASE("every answer has its type, a policy against foreign content, and ends its connection") {
  HttpResponse response{200, "text/css", "body", {{"Allow", "GET"}}, false};
  const HttpHeaders headers = headers_of(response);
  const auto count = [&](const std::string& name) {
    int found = 0;
    for (const auto& entry : headers) found += entry.first == name ? 1 : 0;
    return found;
  };
  CHECK(headers.front() == std::pair<std::string, std::string>("Allow", "GET"));
  for (const char* name : {"Date", "Content-Type", "Content-Security-Policy", "X-Content-Type-Options",
                           "Cache-Control", "Connection"}) {
    CAPTURE(name);
    CHECK(count(name) == 1);
  }
  CHECK(count("Content-Length") == 0);
  response.headers = {{"Cache-Control", "immutable"}};
  const HttpHeaders kept = headers_of(response);
  CHECK(std::count_if(kept.begin(), kept.end(),
                      [](const auto& one) { return one.first == "Cache-Control"; }) == 1);
}

TEST_CASE("a stream is chunked, but for HTTP/1.0, where the connection's end is the body's") {
  const HttpResponse response{200, "audio/ogg", {}, {}, true};
  const std::string chunked = stream_head(response, true);
  CHECK(chunked.find("HTTP/1.1 200 OK\r\n") == 0);
  CHECK(has_line(chunked, "Transfer-Encoding: chunked"));
  CHECK(has_line(chunked, "Content-Type: audio/ogg"));
  CHECK(chunked.substr(chunked.size() - 4) == "\r\n\r\n");
  CHECK_FALSE(has_line(stream_head(response, false), "Transfer-Encoding: chunked"));
}

TEST_CASE("an early refusal is a whole answer, with its reason and the length of its body") {
  const std::string refusal = early_refusal(431, "Request Header Fields Too Large", "Too large.");
  CHECK(refusal.find("HTTP/1.1 431 Request Header Fields Too Large\r\n") == 0);
  CHECK(has_line(refusal, "Content-Length: 11"));
  CHECK(refusal.substr(refusal.size() - 15) == "\r\n\r\nToo large.\n");
}

TEST_CASE("the date has the form of RFC 9110, in GMT") {
  const std::string date = http_date();
  REQUIRE(date.size() == 29);
  CHECK(date.substr(3, 2) == ", ");
  CHECK(date.substr(25) == " GMT");
}

}  // namespace auralis::http_answer_test
