// SPDX-License-Identifier: MIT
// The client side of WebSocket (RFC 6455), as far as a listener needs it: the upgrade, and a reader of the
// server's frames that keeps as much of each message as its user needs. Input arrives in pieces of any size.
// One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace auralis {

// The key of an upgrade, from 16 random bytes.
std::string websocket_key(const std::array<std::uint8_t, 16>& random);

// The lines of a request's head that ask for an upgrade.
std::string upgrade_fields(const std::string& key, const std::string& protocol);

// The Sec-WebSocket-Accept that answers the key.
std::string websocket_accept(const std::string& key);

// A frame as a client sends it: masked, with a payload of at most 125 bytes.
std::string client_frame(std::uint8_t opcode, std::string_view payload, std::uint32_t mask);

inline constexpr std::uint8_t kOpcodeText = 1;
inline constexpr std::uint8_t kOpcodeBinary = 2;
inline constexpr std::uint8_t kOpcodeClose = 8;
inline constexpr std::uint8_t kOpcodePing = 9;
inline constexpr std::uint8_t kOpcodePong = 10;

// The head of an HTTP response.
class ResponseHead {
 public:
  // Removes the head's bytes from the front of `bytes`.
  void take(std::string_view& bytes);

  bool whole() const { return whole_; }
  // Whether the head exceeds its limit.
  bool too_long() const;
  // HTTP status; 0 if this is no HTTP response.
  int status() const;
  // The value of a header field, or nothing; names are compared without regard to case.
  std::string_view field(std::string_view name) const;

 private:
  std::string text_;
  bool whole_ = false;
};

class FrameReader {
 public:
  // Enough for all of a control frame and, of an audio message, its sequence number.
  static constexpr std::size_t kHeadBytes = 160;
  // Enough for any message.
  static constexpr std::size_t kLongestMessage = 16'777'216;

  // `kept_bytes`: of the front of each message.
  explicit FrameReader(std::size_t kept_bytes = kHeadBytes) : kept_bytes_(kept_bytes) {}

  enum class Outcome { kNeedsMore, kMessage, kBroken };

  // Removes bytes from the front of `bytes`, up to the end of a message at most. kBroken: a frame that this
  // protocol's server never sends, such as a masked, fragmented, compressed or oversized one.
  Outcome take(std::string_view& bytes);

  // Of the message that is complete. Valid until the next take() or discard().
  std::uint8_t opcode() const { return opcode_; }
  std::string_view head() const { return head_; }
  std::uint64_t message_bytes() const { return message_bytes_; }

  // Number of bytes that follow and are not needed. A caller that skips them unread says so by discard(),
  // with at most that many.
  std::uint64_t discardable() const { return head_.size() == kept_bytes_ ? left_ : 0; }
  Outcome discard(std::uint64_t bytes);

 private:
  bool take_header(std::string_view& bytes);
  bool begin_message();

  std::array<std::uint8_t, 10> header_{};
  std::size_t header_size_ = 0;
  bool in_payload_ = false;
  std::uint8_t opcode_ = 0;
  std::uint64_t message_bytes_ = 0;  // of its payload
  std::uint64_t left_ = 0;           // of those, not yet taken
  std::size_t kept_bytes_;
  std::string head_;
};

}  // namespace auralis
