// SPDX-License-Identifier: MIT
// The plain HTTP side of streamd's port (docs/protocol.md, "HTTP"). Knows paths and bodies, not the network.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "streamd/messages.h"

namespace auralis {

struct HttpRequest {
  std::string_view method;
  std::string_view path;   // without the query
  std::string_view query;  // without its question mark
  std::string_view body;
  bool chunked = false;  // the body came without its length, and was not read
};

struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string body;
  std::string_view allow;  // for 405: the methods there are, as in the header
};

// What the API needs to know and do; network thread only.
struct HttpBackend {
  std::function<HttpResponse(std::string_view query)> status;
  std::function<std::optional<std::string>()> not_ready_reason;  // nothing: ready
  // A change of parameters: the JSON answer, and its HTTP status.
  std::function<HttpResponse(std::string_view body)> control;
};

// Never throws for anything a client can send.
HttpResponse handle_http(const HttpRequest& request, const HttpBackend& backend);

}  // namespace auralis
