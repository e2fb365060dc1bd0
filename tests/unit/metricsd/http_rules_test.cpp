// SPDX-License-Identifier: MIT
#include "metricsd/http_rules.h"

#include <doctest/doctest.h>

namespace auralis::http_rules_test {

TEST_CASE("head_fault: finds as early as possible what is no request of HTTP/1") {
  for (const char* good : {"", "G", "GET /", "GET / HTTP/1.1", "GET / HTTP/1.1\r", "GET / HTTP/1.0\r\n",
                           "GET / HTTP/1.9\r\nHost: a\r\n\r\nany\nbody"}) {
    CHECK_MESSAGE(head_fault(good) == 0, good);
  }
  for (const char* bad : {"\x16\x03\x01", " GET", "GET /\n", "GET / HTTP/1.1\r\nHost: a\n", "GET /\r\n",
                          "GET / HTTP/11\r\n", "GET / http/1.1\r\n", "PRI * HTTP/2.0\r\n"}) {
    CHECK_MESSAGE(head_fault(bad) == 400, bad);
  }
  CHECK(head_fault({"GET /\0", 6}) == 400);
  for (const char* other : {"GET / HTTP/0.9\r\n", "GET / HTTP/2.0\r\n", "GET / HTTP/3.1\r\n"}) {
    CHECK_MESSAGE(head_fault(other) == 505, other);
  }
}

TEST_CASE("later_minor_version: is one of HTTP/1 beyond 1.1") {
  CHECK(later_minor_version("GET / HTTP/1.2"));
  for (const char* line : {"GET / HTTP/1.1", "GET / HTTP/1.0", "GET / HTTP/2.2", "HTTP/1", ""}) {
    CHECK_FALSE_MESSAGE(later_minor_version(line), line);
  }
}

TEST_CASE("path_of_target: takes the path out of each form, and decodes what means the same") {
  const auto path = [](std::string_view target) { return path_of_target(target).value_or("(none)"); };
  CHECK(path("/metrics") == "/metrics");
  CHECK(path("/metrics?a=/b?c") == "/metrics");
  CHECK(path("*") == "*");
  CHECK(path("/%6Detric%73") == "/metrics");
  CHECK(path("/a%2fb%00") == "/a%2fb%00");
  CHECK(path("http://host:1/metrics?x") == "/metrics");
  CHECK(path("HTTPS://[::1]") == "/");
  CHECK(path("http://host?x") == "/");
  for (const char* bad : {"", "metrics", "?", "/a#b", "/%", "/%4", "/%4g", "http://", "http:///a",
                          "http://a b/", "http://user@host/", "ftp://host/", "host:1"}) {
    CHECK_MESSAGE(path(bad) == "(none)", bad);
  }
}

TEST_CASE("query_of_target: is what follows the first question mark") {
  CHECK(query_of_target("/a?b=c&d=?") == "b=c&d=?");
  for (const char* none : {"/a", "/a?", "", "*"}) CHECK_MESSAGE(query_of_target(none).empty(), none);
}

TEST_CASE("event_message: is one event, whatever lines its data has") {
  CHECK(event_message("{}") == "data: {}\n\n");
  CHECK(event_message("a\n\nb") == "data: a\ndata: \ndata: b\n\n");
}

TEST_CASE("http_date: is the form that HTTP prescribes") {
  CHECK(http_date(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace auralis::http_rules_test
