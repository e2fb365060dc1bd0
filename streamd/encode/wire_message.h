// SPDX-License-Identifier: MIT
// A message with its framing, of WebSocket or HTTP: made once, shared by all its listeners.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace auralis {

// A message as it goes over the wire. Immutable once shared.
struct WireMessage {
  std::string bytes;              // with framing
  std::size_t payload_begin = 0;  // offsets into `bytes`
  std::size_t payload_end = 0;
};
using WireMessagePtr = std::shared_ptr<const WireMessage>;

// Frame a payload. Any thread.
WireMessagePtr make_text_message(std::string_view payload);    // a WebSocket frame (RFC 6455, 5.2)
WireMessagePtr make_binary_message(std::string_view payload);  // a WebSocket frame
// A WebSocket frame of `payload_bytes` zeros, which the caller fills before sharing it.
std::shared_ptr<WireMessage> reserve_binary_message(std::size_t payload_bytes);
WireMessagePtr make_http_chunk(std::string_view payload);  // a chunk (RFC 9112, 7.1); `payload` is not empty
// The end of a body in chunked coding (RFC 9112, 7.1).
WireMessagePtr make_last_http_chunk();
// Bytes without framing: all are payload.
WireMessagePtr make_raw_message(std::string bytes);

std::string_view payload_of(const WireMessage& message);

}  // namespace auralis
