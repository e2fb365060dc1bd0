// SPDX-License-Identifier: MIT
#include "streamd/net/http_answer.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "embedded/style_hash.h"

namespace auralis {
namespace {

constexpr char kServer[] = "Server: auralis/" AURALIS_VERSION "\r\n";
// The player loads nothing from other origins, and no other origin may frame it. Its style sheet is in the
// page.
constexpr char kContentSecurityPolicy[] =
    "default-src 'self'; connect-src 'self'; media-src 'self' blob:; style-src 'self' " AURALIS_STYLE_HASH
    "; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

std::string lines_of(const HttpHeaders& headers) {
  std::string lines;
  for (const auto& [name, value] : headers) lines.append(name).append(": ").append(value).append("\r\n");
  return lines;
}

}  // namespace

// Relies on the C locale, which is in force unless a program changes it.
std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

HttpHeaders headers_of(const HttpResponse& response) {
  HttpHeaders headers = response.headers;
  headers.emplace_back("Date", http_date());
  headers.emplace_back("Content-Type", response.content_type);
  headers.emplace_back("Content-Security-Policy", kContentSecurityPolicy);
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  const bool kept = std::any_of(headers.begin(), headers.end(),
                                [](const auto& header) { return header.first == "Cache-Control"; });
  if (!kept) headers.emplace_back("Cache-Control", "no-cache");
  headers.emplace_back("Connection", "close");  // else a proxy would send it another request
  return headers;
}

std::string stream_head(const HttpResponse& response, bool chunked) {
  return std::string("HTTP/1.1 200 OK\r\n") + kServer + (chunked ? "Transfer-Encoding: chunked\r\n" : "") +
         lines_of(headers_of(response)) + "\r\n";
}

std::string early_refusal(int status, std::string_view phrase, const std::string& sentence) {
  const HttpResponse response = text_response(status, sentence);
  return "HTTP/1.1 " + std::to_string(status) + " " + std::string(phrase) + "\r\n" + kServer +
         lines_of(headers_of(response)) + "Content-Length: " + std::to_string(response.body.size()) +
         "\r\n\r\n" + response.body;
}

}  // namespace auralis
