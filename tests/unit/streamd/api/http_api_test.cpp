// SPDX-License-Identifier: MIT
#include "streamd/api/http_api.h"

#include <doctest/doctest.h>

#include <string>

#include "streamd/api/web_files.h"

namespace auralis::http_api_test {
namespace {

HttpCall call(std::string_view method, std::string_view path) {
  HttpRequest request;
  request.method = method;
  request.path = path;
  return route(request);
}

HttpResponse answer(std::string_view method, std::string_view path) {
  const HttpCall called = call(method, path);
  REQUIRE(std::holds_alternative<HttpResponse>(called));
  return std::get<HttpResponse>(called);
}

std::string header(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

TEST_CASE("the player's files are served with their type, and the page at /") {
  for (const char* path : {"/", "/index.html", "/player.js", "/threads.js", "/qr_code.js", "/icon.svg"}) {
    CAPTURE(path);
    const WebFile* const file = find_web_file(path);
    REQUIRE(file != nullptr);
    const HttpResponse response = answer("GET", path);
    CHECK(response.status == 200);
    CHECK(response.body == file->bytes);
    CHECK(response.content_type == file->content_type);
  }
}

TEST_CASE("a file comes compressed where that is accepted, and not again where the client has it") {
  HttpRequest request;
  request.method = "GET";
  request.path = "/player.js";
  const WebFile& file = *find_web_file(request.path);
  const auto ask = [&] { return std::get<HttpResponse>(route(request)); };
  const HttpResponse plain = ask();
  CHECK(header(plain, "Content-Encoding").empty());
  CHECK(header(plain, "Cache-Control") == "no-cache");
  CHECK(header(plain, "Vary") == "Accept-Encoding");

  request.accept_encoding = "gzip, br";
  const HttpResponse compressed = ask();
  CHECK(header(compressed, "Content-Encoding") == "gzip");
  CHECK(compressed.body == file.gzip);
  CHECK(compressed.body.size() < plain.body.size() / 2);
  const std::string tag = header(compressed, "ETag");
  CHECK(tag != header(plain, "ETag"));
  for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    CAPTURE(known);
    request.if_none_match = known;
    CHECK(ask().status == 304);
    CHECK(ask().body.empty());
    CHECK(header(ask(), "ETag") == tag);
  }
  request.if_none_match = "\"other\"";
  CHECK(ask().status == 200);

  const std::string version = "v=" + std::string(file.version);
  request.query = QueryFields(version);
  CHECK(header(ask(), "Cache-Control") == "public, max-age=31536000, immutable");
  request.query = QueryFields("v=0");
  CHECK(ask().status == 404);
}

TEST_CASE("health and presets are answered by the request alone, what needs state is a call") {
  CHECK(answer("GET", "/healthz").body == "ok\n");
  CHECK(answer("HEAD", "/api/presets").content_type == "application/json");
  CHECK(std::holds_alternative<ReadyCall>(call("GET", "/readyz")));
  CHECK(std::holds_alternative<StatusCall>(call("GET", "/api/status")));
  CHECK(std::holds_alternative<ControlCall>(call("POST", "/api/control")));
  CHECK(std::holds_alternative<ListenersCall>(call("GET", "/api/listeners")));
}

TEST_CASE("a listener is closed by its whole number, and by nothing else") {
  const HttpCall close = call("POST", "/api/listeners/18446744073709551615/close");
  REQUIRE(std::holds_alternative<CloseCall>(close));
  CHECK(std::get<CloseCall>(close).listener == 18'446'744'073'709'551'615U);
  for (const char* path : {"/api/listeners/1x/close", "/api/listeners/-1/close", "/api/listeners//close",
                           "/api/listeners/18446744073709551616/close", "/api/listeners/1"}) {
    CAPTURE(path);
    CHECK(answer("POST", path).status == 404);
  }
}

TEST_CASE("the ending of a path under /listen/ chooses the format") {
  const HttpCall opus = call("GET", "/listen/garden.opus");
  REQUIRE(std::holds_alternative<ListenCall>(opus));
  CHECK(std::get<ListenCall>(opus).station == "garden");
  CHECK(std::get<ListenCall>(opus).format == WireFormat::kOggOpus);
  const HttpCall wav = call("GET", "/listen/a.b.wav");
  REQUIRE(std::holds_alternative<ListenCall>(wav));
  CHECK(std::get<ListenCall>(wav).station == "a.b");
  CHECK(std::get<ListenCall>(wav).format == WireFormat::kWav);
  CHECK(std::holds_alternative<PlaylistCall>(call("GET", "/listen/garden.m3u")));
  for (const char* path : {"/listen/", "/listen/.opus", "/listen/garden", "/listen/garden.mp3"}) {
    CAPTURE(path);
    CHECK(answer("GET", path).status == 404);
  }
}

TEST_CASE("another method than those of the path is refused with the allowed ones") {
  const HttpResponse wrong = answer("POST", "/healthz");
  CHECK(wrong.status == 405);
  CHECK(header(wrong, "Allow") == "GET, HEAD");
  CHECK(header(answer("GET", "/api/control"), "Allow") == "POST");
  CHECK(answer("BREW", "/healthz").status == 501);
  const HttpResponse options = answer("OPTIONS", "/api/control");
  CHECK(options.status == 204);
  CHECK(header(options, "Allow") == "POST, OPTIONS");
  CHECK(answer("OPTIONS", "*").status == 204);
  CHECK(answer("OPTIONS", "/nowhere").status == 404);
}

TEST_CASE("the stream's path without an upgrade names the protocol to upgrade to") {
  const HttpResponse response = answer("GET", "/ws/stream");
  CHECK(response.status == 426);
  CHECK(header(response, "Upgrade") == "websocket");
}

TEST_CASE("a body without a length is refused where a body is read") {
  HttpRequest request;
  request.method = "POST";
  request.path = "/api/control";
  request.chunked = true;
  const HttpCall refused = route(request);
  REQUIRE(std::holds_alternative<HttpResponse>(refused));
  CHECK(std::get<HttpResponse>(refused).status == 411);
}

}  // namespace auralis::http_api_test
