// SPDX-License-Identifier: MIT
#include "streamd/net/http_head.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace auralis::http_head_test {
namespace {

RequestHead parsed(const std::string& text) {
  HeadEnd end;
  REQUIRE(end.take(text) == text.size());
  REQUIRE(end.complete());
  return parse_request_head(text);
}
int fault_of(const std::string& text) {
  const RequestHead head = parsed(text);
  return head.fault ? head.fault->status : 0;
}
std::string get(const std::string& target, const std::string& version = "HTTP/1.1") {
  return "GET " + target + " " + version + "\r\nHost: x\r\n\r\n";
}

TEST_CASE("the end of a head is found wherever its pieces are cut, and nothing behind it is taken") {
  for (const std::string text :
       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.0\n\n", "GET / HTTP/1.1\nHost: x\r\n\n"}) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      HeadEnd end;
      const std::string all = text + "body\r\n\r\n";
      std::size_t taken = end.take(std::string_view(all).substr(0, cut));
      CHECK(taken == cut);
      CHECK(end.complete() == (cut == text.size()));
      taken += end.take(std::string_view(all).substr(cut));
      CHECK(end.complete());
      CHECK(taken == text.size());
      CHECK(end.length() == text.size());
      CHECK(end.take("more") == 0);
    }
  }
}

TEST_CASE("empty lines before the request line do not end a head, and count towards its length") {
  HeadEnd end;
  for (int i = 0; i < 100; ++i) end.take("\r\n");
  CHECK_FALSE(end.complete());
  CHECK(end.length() == 200);
}

TEST_CASE("both versions of HTTP/1 are served, a later minor one as the latest, and no other") {
  CHECK(parsed("GET / HTTP/1.0\r\n\r\n").old_version);
  CHECK_FALSE(parsed("GET / HTTP/1.0\r\n\r\n").fault);
  CHECK_FALSE(parsed(get("/")).old_version);
  CHECK_FALSE(parsed(get("/", "HTTP/1.9")).old_version);
  for (const char* version : {"HTTP/2.0", "HTTP/0.9", "HTTP/3.0"}) CHECK(fault_of(get("/", version)) == 505);
  for (const char* version : {"HTTP/1", "HTTP/1.", "HTTP/1.10", "http/1.1", "HTTP/x.1", "FTP/1.1", ""})
    CHECK_MESSAGE(fault_of(get("/", version)) == 400, version);
}

TEST_CASE("a target is a path or a URL, and means the same with unreserved characters encoded") {
  CHECK(parsed(get("/a?b=c")).target == "/a?b=c");
  CHECK(parsed(get("/%6Cisten/d%61y.w%61v?station=%64ay%2D1")).target == "/listen/day.wav?station=day-1");
  CHECK(parsed(get("/a%2Fb%25%00%zz%")).target == "/a%2Fb%25%00%zz%");
  CHECK(parsed(get("http://Radio:81/a?b")).target == "/a?b");
  CHECK(parsed(get("http://Radio:81/a?b")).field("host") == "Radio:81");
  CHECK(parsed(get("HTTPS://radio")).target == "/");
  CHECK(parsed(get("http://radio?a")).target == "/?a");
  CHECK(parsed("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").target == "*");
  for (const char* target : {"*", "a", "ftp://x/", "http:///a", "http://a b/", "/\t", "/a b"})
    CHECK_MESSAGE(fault_of(get(target)) == 400, target);
}

TEST_CASE("HTTP/1.1 has one host, which may be empty, and HTTP/1.0 need not have any") {
  CHECK(fault_of("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(fault_of("GET / HTTP/1.0\r\n\r\n") == 0);
  CHECK(fault_of("GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n") == 400);
  for (const char* host : {"", "x", "my_backend", "a.b:80", "[::1]", "[::1]:8000", "127.0.0.1:", "a%20b"})
    CHECK_MESSAGE(fault_of("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n") == 0, host);
  for (const char* host :
       {"a b", "a/b", "a@b", "x:0", "x:65536", "x:y", "a:1:2", ":80", "[::1", "[::1]x", "[]x", "\"x\""})
    CHECK_MESSAGE(fault_of("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n") == 400, host);
}

TEST_CASE(
    "fields of one name are one list, whatever the case of their name, and are refused if they are none") {
  const RequestHead head = parsed("GET / HTTP/1.1\r\nHOST:x\r\nA: 1 \r\na:\t2\r\nB:\r\n\r\n");
  CHECK(head.field("host") == "x");
  CHECK(head.field("a") == "1, 2");
  CHECK(head.field("b").empty());
  CHECK(head.field("c").empty());
  for (const char* line : {"A : b", " A: b", "A", ": b", "A b: c", "A: \x01", "A: b\rc", "A: \x7f"})
    CHECK_MESSAGE(fault_of("GET / HTTP/1.1\r\nHost: x\r\n" + std::string(line) + "\r\n\r\n") == 400, line);
  CHECK(fault_of("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n") == 400);
  CHECK(fault_of("GET / HTTP/1.1\r\nHost: x\r\nA: b\tc \xc3\xa9\r\n\r\n") == 0);
}

TEST_CASE("the length of a body is one number, or it comes in chunks") {
  const auto post = [](const std::string& fields, const std::string& version = "1.1") {
    return "POST / HTTP/" + version + "\r\nHost: x\r\n" + fields + "\r\n\r\n";
  };
  CHECK(parsed(post("Content-Length: 0012")).content_length == 12);
  CHECK(parsed(post("Transfer-Encoding: Chunked")).chunked);
  for (const char* length : {"-1", "+1", "1, 1", "0x1", "1.0", "", "one", "1 1"})
    CHECK_MESSAGE(fault_of(post("Content-Length: " + std::string(length))) == 400, length);
  CHECK(fault_of(post("Content-Length: 1\r\nContent-Length: 1")) == 400);
  CHECK(fault_of(post("Content-Length: 18446744073709551616")) == 413);
  CHECK(fault_of(post("Content-Length: 1\r\nTransfer-Encoding: chunked")) == 400);
  CHECK(fault_of(post("Transfer-Encoding: chunked", "1.0")) == 400);
  CHECK(fault_of(post("Transfer-Encoding: gzip, chunked")) == 501);
}

TEST_CASE("an upgrade and a 100 Continue are asked for in HTTP/1.1 alone") {
  const std::string fields = "\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: foo, WebSocket\r\n";
  CHECK(parsed("GET / HTTP/1.1" + fields + "\r\n").asks_for_websocket());
  CHECK_FALSE(parsed("GET / HTTP/1.0" + fields + "\r\n").asks_for_websocket());
  CHECK_FALSE(parsed("POST / HTTP/1.1" + fields + "\r\n").asks_for_websocket());
  CHECK_FALSE(parsed("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n")
                  .asks_for_websocket());
  CHECK(parsed("GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n\r\n").expects_continue());
  CHECK_FALSE(parsed("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expects_continue());
}

TEST_CASE("a fault keeps the method, so that the answer to HEAD has no body") {
  CHECK(parsed("HEAD / HTTP/1.1\r\n\r\n").method == "HEAD");
  CHECK(parsed("HEAD / HTTP/1.1\r\n\r\n").fault);
  CHECK(parsed("{} / HTTP/1.1\r\n\r\n").method.empty());
}

}  // namespace
}  // namespace auralis::http_head_test
