// SPDX-License-Identifier: MIT
// Limits of a WebSocketServer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace auralis {

struct ServerLimits {
  std::int64_t handshake_timeout_ms =
      5'000;  // to receive a whole request, and again for the client to read the answer
  std::size_t message_bytes = 4'096;  // of a message, and of a request's body
  std::size_t header_bytes = 8'192;   // of a request
  std::size_t read_at_once = 8'192;   // read quota of a connection after its request, per 100 ms
};

}  // namespace auralis
