// SPDX-License-Identifier: MIT
#include "metricsd/http_response.h"

#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

namespace auralis::http_response_test {

using test::contains;

TEST_CASE("response_head: says what the body is and what becomes of the connection") {
  HttpHeadOptions options;
  const HttpPage page{"text/html", "a page", 200};
  const std::string closing = response_head(page, options);
  CHECK(closing.rfind("HTTP/1.1 200 OK\r\n", 0) == 0);
  CHECK(contains(closing, "Content-Type: text/html\r\nContent-Length: 6\r\n"));
  CHECK(contains(closing, "Connection: close\r\n"));
  CHECK(closing.substr(closing.size() - 4) == "\r\n\r\n");
  options.keep = true;
  CHECK_FALSE(contains(response_head(page, options), "Connection:"));
  options.old_version = true;
  CHECK(contains(response_head(page, options), "Connection: keep-alive\r\n"));
}

TEST_CASE("response_head: a body without an end has no length, an empty answer neither") {
  HttpHeadOptions options;
  options.endless = true;
  CHECK_FALSE(contains(response_head({"text/event-stream", {}, 200}, options), "Content-Length"));
  const std::string none = response_head({{}, {}, 204}, {});
  CHECK_FALSE(contains(none, "Content-Length"));
  CHECK_FALSE(contains(none, "\r\nContent-Type"));
  CHECK(contains(none, "Allow: GET, HEAD, OPTIONS\r\n"));
}

TEST_CASE("refusal_text: is a sentence, with the limit that was exceeded") {
  HttpLimits limits;
  limits.body_bytes = 77;
  CHECK(refusal_text(413, limits) == "Request body too large: the limit is 77 bytes.\n");
  for (const int status : {400, 401, 405, 408, 414, 417, 431, 500, 501, 503, 505})
    CHECK(refusal_text(status, limits).find(".\n") != std::string::npos);
}

}  // namespace auralis::http_response_test
