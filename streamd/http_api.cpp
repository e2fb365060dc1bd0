// SPDX-License-Identifier: MIT
#include "streamd/http_api.h"

#include <algorithm>

#include "streamd/web_files.h"

namespace auralis {
namespace {

HttpResponse text(int status, std::string body) {
  return {status, "text/plain; charset=utf-8", std::move(body), {}};
}

HttpResponse get(const HttpRequest& request, const HttpBackend& backend) {
  const std::string_view path = request.path;
  if (path == "/healthz") return text(200, "ok\n");
  if (path == "/readyz") {
    const auto reason = backend.not_ready_reason();
    return reason ? text(503, *reason + "\n") : text(200, "ready\n");
  }
  if (path == "/api/status") return backend.status(request.query);
  if (path == "/api/presets") return {200, "application/json", presets_body(), {}};
  const WebFile* file = find_web_file(path);
  return {200, file->content_type, std::string(file->bytes), {}};
}

constexpr std::string_view kReadMethods = "GET, HEAD";

// The methods that a path answers to; empty if there is no such path.
std::string_view methods_of(std::string_view path) {
  if (path == "/api/control") return "POST";
  constexpr std::string_view kGetPaths[] = {"/healthz", "/readyz", "/api/status", "/api/presets"};
  const bool known = std::find(std::begin(kGetPaths), std::end(kGetPaths), path) != std::end(kGetPaths);
  return known || find_web_file(path) != nullptr ? kReadMethods : "";
}

}  // namespace

HttpResponse handle_http(const HttpRequest& request, const HttpBackend& backend) {
  if (request.path == "/ws/stream") return text(426, "This path speaks WebSocket; see docs/protocol.md.\n");
  const std::string_view methods = methods_of(request.path);
  if (methods.empty()) return text(404, "There is nothing at this path.\n");
  const bool reads = methods == kReadMethods;
  if (reads ? request.method != "GET" && request.method != "HEAD" : request.method != methods) {
    HttpResponse response = text(405, "This path answers to " + std::string(methods) + ".\n");
    response.allow = methods;
    return response;
  }
  if (reads) return get(request, backend);
  if (request.chunked) return text(411, "A body must come with its Content-Length.\n");
  return backend.control(request.body);
}

}  // namespace auralis
