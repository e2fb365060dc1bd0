// SPDX-License-Identifier: MIT
// What the hub asks of the network, and what the network tells the hub: the border that keeps websocketpp out
// of everything else, and that a test stands in for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace auralis {

// A message framed for the wire, immutable, shared by all listeners that get it.
struct WireMessage;
using WireMessagePtr = std::shared_ptr<const WireMessage>;

// Frame a payload, once. Any thread.
WireMessagePtr make_text_message(std::string payload);
WireMessagePtr make_binary_message(std::string payload);
std::string_view payload_of(const WireMessage& message);

using ConnectionId = std::uint64_t;

namespace close_code {
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kTryAgainLater = 1013;
inline constexpr std::uint16_t kStationGone = 4004;
inline constexpr std::uint16_t kNoProgress = 4008;
}  // namespace close_code

// The network's side. Network thread only.
class Transport {
 public:
  virtual ~Transport() = default;

  // Hands a message to the connection; ConnectionEvents::written follows when the kernel has taken its last
  // byte, or closed if it never will. At most one message at a time a connection.
  virtual void send(ConnectionId connection, const WireMessagePtr& message) = 0;
  virtual void close(ConnectionId connection, std::uint16_t code, std::string_view reason) = 0;
};

}  // namespace auralis
