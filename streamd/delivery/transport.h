// SPDX-License-Identifier: MIT
// Interface of SendQueues to the network: the border that keeps websocketpp and Asio out of everything else.
// A test replaces it.
#pragma once

#include <cstdint>
#include <string_view>

#include "streamd/encode/wire_message.h"

namespace auralis {

// Names a connection; never used again in the life of the process.
using ConnectionId = std::uint64_t;

namespace close_code {
inline constexpr std::uint16_t kComplete = 0;  // plain HTTP alone: the body has been sent to its end
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kPolicyViolation = 1008;
inline constexpr std::uint16_t kTryAgainLater = 1013;
inline constexpr std::uint16_t kStationGone = 4004;
inline constexpr std::uint16_t kNoProgress = 4008;
inline constexpr std::uint16_t kNoSignOfLife = 4009;
inline constexpr std::uint16_t kOperator = 4010;
}  // namespace close_code

// How a connection ended that streamd did not close.
enum class ConnectionEnd {
  kClosed,  // by the client
  kReset,   // it broke
};

enum class SendResult {
  kTaken,    // the kernel has all of it: the next message may follow
  kPending,  // ConnectionEvents::written follows, or write_failed, or closed
  kFailed,   // the connection is broken; closed follows
};

// The path of bytes out of a connection, valid as long as it is open. The worker's thread only.
class MessageSink {
 public:
  virtual ~MessageSink() = default;

  // Prefetches what transmit() touches: a message follows soon.
  virtual void expect() const = 0;
  // At most one message is pending.
  virtual SendResult transmit(const WireMessagePtr& message) = 0;
};

// The network's side of one worker. The worker's thread only.
class Transport {
 public:
  virtual ~Transport() = default;

  // Asks for a sign of life; ConnectionEvents::alive follows. Does nothing over plain HTTP.
  virtual void ping(ConnectionId connection) = 0;
  // Plain HTTP carries neither the code nor the reason.
  virtual void close(ConnectionId connection, std::uint16_t code, std::string_view reason) = 0;
};

}  // namespace auralis
