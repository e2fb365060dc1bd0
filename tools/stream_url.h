// SPDX-License-Identifier: MIT
// The address of a server's audio, as a tool is given it, and where that is on the network.
#pragma once

#include <sys/socket.h>

#include <string>

namespace auralis {

struct StreamUrl {
  std::string text;       // as given
  bool websocket = true;  // else a stream of plain HTTP
  std::string host;       // an IPv6 address without its brackets
  std::string port;
  std::string target;  // path and query

  // The value of Host.
  std::string authority() const;
};

// Parses ws://HOST:PORT/PATH?QUERY or http://...; of a WebSocket the path defaults to /ws/stream. Throws
// UsageError. Pure.
StreamUrl parse_stream_url(const std::string& text);

struct ServerAddress {
  sockaddr_storage address{};
  socklen_t size = 0;
};

// Looks the host up; may take as long as the system's resolver. Throws std::runtime_error.
ServerAddress resolve(const StreamUrl& url);

}  // namespace auralis
