// SPDX-License-Identifier: MIT
#include "metricsd/http_response.h"

#include <ctime>
#include <sstream>

#include "metricsd/http_rules.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/write.hpp>

namespace auralis {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

// The dashboard loads nothing from other origins, and no other origin may frame it.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

beast::string_view beasts(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string response_head(const HttpPage& page, const HttpHeadOptions& options) {
  http::response<http::empty_body> response(static_cast<http::status>(page.status), 11);
  response.set(http::field::date, http_date(std::time(nullptr)));
  if (page.status == 204 || page.status == 405) response.set(http::field::allow, beasts(kAllowedMethods));
  if (page.status == 401)
    response.set(http::field::www_authenticate, "Basic realm=\"auralis\", charset=\"UTF-8\"");
  if (page.status != 204) response.set(http::field::content_type, beasts(page.type));
  if (options.endless) {
    response.set("X-Accel-Buffering", "no");  // asks nginx to pass events on as they come
  } else if (page.status != 204) {
    response.set(http::field::content_length, std::to_string(page.body.size()));
  }
  if (options.gzip) response.set(http::field::content_encoding, "gzip");
  response.set(http::field::vary, "Accept, Accept-Encoding");
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Content-Security-Policy", beasts(kContentSecurityPolicy));
  if (!options.keep) {
    response.set(http::field::connection, "close");
  } else if (options.old_version) {
    response.set(http::field::connection, "keep-alive");
  }
  std::ostringstream text;
  text << response.base();
  return text.str();
}

std::string refusal_text(int status, const HttpLimits& limits) {
  switch (status) {
    case 401:
      return "User and password required (password_file).\n";
    case 405:
      return "Method not allowed: only " + std::string(kAllowedMethods) + ".\n";
    case 408:
      return "Request timed out.\n";
    case 413:
      return "Request body too large: the limit is " + std::to_string(limits.body_bytes) + " bytes.\n";
    case 414:
      return "Request line too long: the limit of the header is " + std::to_string(limits.head_bytes) +
             " bytes.\n";
    case 417:
      return "Unsupported expectation: only 100-continue.\n";
    case 431:
      return "Request header too large: the limit is " + std::to_string(limits.head_bytes) + " bytes.\n";
    case 500:
      return "Internal error; see the log.\n";
    case 501:
      return "Method or transfer coding not implemented.\n";
    case 503:
      return "Too many subscribers: the limit is " + std::to_string(limits.subscribers) + ".\n";
    case 505:
      return "Only HTTP/1.1 and HTTP/1.0 are supported.\n";
    default:
      return "Malformed request.\n";
  }
}

}  // namespace auralis
