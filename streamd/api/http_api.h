// SPDX-License-Identifier: MIT
// The plain HTTP side of streamd's port (docs/protocol.md, "HTTP"): what there is at which path, and who may
// use it. Knows no network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/access/ip_address.h"
#include "streamd/api/messages.h"
#include "streamd/api/query_fields.h"
#include "streamd/encode/wire_format.h"

namespace auralis {

// A request's parts, as they came; valid during the call that brings them.
struct HttpRequest {
  std::string_view method;
  std::string_view path;  // without the query
  QueryFields query;
  std::string_view body;
  bool chunked = false;      // the body came without its length, and was not read
  bool old_version = false;  // HTTP/1.0
  // Headers; empty: none.
  std::string_view host, origin, authorization, forwarded_for, forwarded_proto, websocket_version;
  std::string_view accept_encoding, if_none_match;
  IpAddress peer;          // the other end of the connection
  bool encrypted = false;  // by TLS
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // beside those that every answer has
  bool stream = false;                                       // 200, and the body comes piece by piece
};

HttpResponse text_response(int status, std::string sentence);
// A refusal of a request that may be made again after so long.
HttpResponse retry_later(int status, std::string sentence, int seconds);
// 200 with a body that comes piece by piece; `request`: a HEAD gets none.
HttpResponse stream_response(std::string content_type, const HttpRequest& request);
HttpResponse error_response(int status, const MessageError& error);
// The answer to a control request; the status follows from the error's code.
HttpResponse change_response(const ChangeResult& result);

// Calls that a request can make; the network knows nothing of them.
struct StatusCall {};
struct ControlCall {};
struct ListenersCall {};
struct CloseCall {
  std::uint64_t listener = 0;
};
struct ReadyCall {};
struct ListenCall {
  std::string_view station;
  WireFormat format = WireFormat::kOggOpus;
};
struct PlaylistCall {
  std::string_view station;
};
struct DownloadCall {
  std::int64_t minutes = 0;
};
using HttpCall = std::variant<HttpResponse, StatusCall, ControlCall, ListenersCall, CloseCall, ReadyCall,
                              ListenCall, PlaylistCall, DownloadCall>;

// An answer where it follows from the request alone: files of the player, presets, health, refusals. Never
// throws for anything that a client can send.
HttpCall route(const HttpRequest& request);

}  // namespace auralis
