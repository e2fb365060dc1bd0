// SPDX-License-Identifier: MIT
#include "streamd/api/http_api.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "common/base/accept_choices.h"
#include "common/base/text.h"
#include "streamd/api/web_files.h"

namespace auralis {
namespace {

constexpr std::string_view kReadMethods = "GET, HEAD";
constexpr std::string_view kStream = "/ws/stream";
constexpr std::string_view kListen = "/listen/";
constexpr std::string_view kDownload = "/download/";
constexpr std::string_view kListeners = "/api/listeners";
constexpr std::string_view kClose = "/close";

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}
// Returns the part of `text` before `suffix`; nothing if `text` does not end in `suffix`, or is nothing else.
std::optional<std::string_view> before(std::string_view text, std::string_view suffix) {
  if (text.size() <= suffix.size() || text.substr(text.size() - suffix.size()) != suffix) return std::nullopt;
  return text.substr(0, text.size() - suffix.size());
}

// Whether the value of If-None-Match names that tag; a proxy may have weakened it.
bool names_tag(std::string_view header, std::string_view tag) {
  for (std::string_view one : list_parts(header)) {
    if (starts_with(one, "W/")) one.remove_prefix(2);
    if (one == tag || one == "*") return true;
  }
  return false;
}

// A path's methods, and what it calls. No methods: there is no such path.
struct Route {
  std::string_view methods;
  HttpCall call;
};

Route listen_route(std::string_view file) {
  if (const auto name = before(file, ".opus")) return {kReadMethods, ListenCall{*name, WireFormat::kOggOpus}};
  if (const auto name = before(file, ".wav")) return {kReadMethods, ListenCall{*name, WireFormat::kWav}};
  if (const auto name = before(file, ".m3u")) return {kReadMethods, PlaylistCall{*name}};
  return {};
}

// The whole number that is all of `text`.
template <typename Number>
std::optional<Number> number_of(std::optional<std::string_view> text) {
  Number number{};
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

Route close_route(std::string_view rest) {
  const auto listener = number_of<std::uint64_t>(before(rest, kClose));
  return listener ? Route{"POST", CloseCall{*listener}} : Route{};
}

Route download_route(std::string_view file) {
  const auto minutes = number_of<std::int64_t>(before(file, ".opus"));
  return minutes && *minutes > 0 ? Route{kReadMethods, DownloadCall{*minutes}} : Route{};
}

// A browser keeps for ever what is named by its version, and asks whether it has the rest (RFC 9111).
HttpResponse file_response(const WebFile& file, const HttpRequest& request) {
  const bool compressed = !file.gzip.empty() && accepts_gzip(request.accept_encoding);
  const std::string tag = '"' + std::string(file.version) + (compressed ? "-gzip\"" : "\"");
  const std::string& query = request.query.text();
  const bool named = query == "v=" + std::string(file.version);
  // Of another version of the player: the two would not understand each other.
  if (!named && starts_with(query, "v=")) return text_response(404, "Another version; load the page again.");
  HttpResponse response{200,
                        std::string(file.content_type),
                        {},
                        {{"ETag", tag},
                         {"Vary", "Accept-Encoding"},
                         {"Cache-Control", named ? "public, max-age=31536000, immutable" : "no-cache"}},
                        false};
  if (names_tag(request.if_none_match, tag)) {
    response.status = 304;
    return response;
  }
  if (compressed) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = compressed ? file.gzip : file.bytes;
  return response;
}

Route route_of(const HttpRequest& request) {
  const std::string_view path = request.path;
  if (path == "/healthz") return {kReadMethods, text_response(200, "ok")};
  if (path == "/readyz") return {kReadMethods, ReadyCall{}};
  if (path == "/api/status") return {kReadMethods, StatusCall{}};
  if (path == "/api/presets")
    return {kReadMethods, HttpResponse{200, "application/json", presets_body(), {}, false}};
  if (path == "/api/control") return {"POST", ControlCall{}};
  if (path == kListeners) return {kReadMethods, ListenersCall{}};
  if (starts_with(path, std::string(kListeners) + "/"))
    return close_route(path.substr(kListeners.size() + 1));
  if (starts_with(path, kListen)) return listen_route(path.substr(kListen.size()));
  if (starts_with(path, kDownload)) return download_route(path.substr(kDownload.size()));
  if (const WebFile* file = find_web_file(path)) return {kReadMethods, file_response(*file, request)};
  return {};
}

// Of RFC 9110 and RFC 5789.
bool known_method(std::string_view method) {
  constexpr std::array<std::string_view, 9> kMethods{"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                     "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

// Of a refused change.
int status_of(std::string_view code) {
  if (code == "not_allowed") return 403;
  if (code == "unknown_station") return 404;
  return code == "unavailable" ? 503 : 400;
}

HttpResponse upgrade_required() {
  HttpResponse response = text_response(426, "This path requires a WebSocket upgrade; see docs/protocol.md.");
  response.headers = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Version", "13"}};
  return response;
}

HttpResponse methods_response(std::string_view methods) {
  return {204, "text/plain; charset=utf-8", {}, {{"Allow", std::string(methods) + ", OPTIONS"}}, false};
}

}  // namespace

HttpResponse text_response(int status, std::string sentence) {
  return {status, "text/plain; charset=utf-8", std::move(sentence) + "\n", {}, false};
}
HttpResponse retry_later(int status, std::string sentence, int seconds) {
  HttpResponse response = text_response(status, std::move(sentence));
  response.headers.emplace_back("Retry-After", std::to_string(seconds));
  return response;
}
HttpResponse stream_response(std::string content_type, const HttpRequest& request) {
  // X-Accel-Buffering: nginx forwards at once instead of filling its buffers first.
  return {200,
          std::move(content_type),
          {},
          {{"Accept-Ranges", "none"}, {"X-Accel-Buffering", "no"}},
          request.method == "GET"};
}
HttpResponse error_response(int status, const MessageError& error) {
  return {status, "application/json", error_message(error), {}, false};
}

HttpResponse change_response(const ChangeResult& result) {
  const auto* const error = std::get_if<MessageError>(&result);
  return {
      error != nullptr ? status_of(error->code) : 200, "application/json", change_message(result), {}, false};
}

HttpCall route(const HttpRequest& request) {
  if (!known_method(request.method)) return text_response(501, "Method not implemented.");
  Route found = request.path == kStream ? Route{"GET", upgrade_required()} : route_of(request);
  if (request.method == "OPTIONS") {
    if (request.path == "*") found.methods = "GET, HEAD, POST";
    if (!found.methods.empty()) return methods_response(found.methods);
  }
  if (found.methods.empty()) return text_response(404, "No such path.");
  if (request.path == kStream) return std::move(found.call);
  const bool reads = found.methods == kReadMethods;
  if (reads ? request.method != "GET" && request.method != "HEAD" : request.method != found.methods) {
    HttpResponse response =
        text_response(405, "Method not allowed; allowed: " + std::string(found.methods) + ".");
    response.headers.emplace_back("Allow", found.methods);
    return response;
  }
  if (!reads && request.chunked) return text_response(411, "A request body requires Content-Length.");
  return std::move(found.call);
}

}  // namespace auralis
