// SPDX-License-Identifier: MIT
// The text of a response, as pure functions. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "metricsd/http_pages.h"

namespace auralis {

inline constexpr std::string_view kAllowedMethods = "GET, HEAD, OPTIONS";

// What the head of a response depends on beside its page.
struct HttpHeadOptions {
  bool keep = false;         // the connection
  bool old_version = false;  // of HTTP, before 1.1
  bool endless = false;      // the body ends with the connection
  bool gzip = false;         // the body is compressed
};

// The head of a response with that page, up to the empty line that ends it.
std::string response_head(const HttpPage& page, const HttpHeadOptions& options);

// The body of a refusal: a sentence for people.
std::string refusal_text(int status, const HttpLimits& limits);

}  // namespace auralis
