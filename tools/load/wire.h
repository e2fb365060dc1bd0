// SPDX-License-Identifier: MIT
// A WebSocket listener's side of the wire (RFC 6455), no more of it than a listener needs: the upgrade, and a
// reader of the server's frames that looks at the beginning of a message and leaves the rest of it where it
// is. Bytes come in any pieces. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace auralis {

// The key of an upgrade, from 16 random bytes.
std::string websocket_key(const std::array<std::uint8_t, 16>& random);

// What a server that understood the key answers in Sec-WebSocket-Accept.
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
  // Takes what belongs to it from the front of `bytes`.
  void take(std::string_view& bytes);

  bool whole() const { return whole_; }
  // It is longer than any that a listener is sent.
  bool too_long() const;
  // 0 where it is no HTTP response.
  int status() const;
  // The value of a header field, or nothing; names are compared without regard to case.
  std::string_view field(std::string_view name) const;

 private:
  std::string text_;
  bool whole_ = false;
};

class FrameReader {
 public:
  // So much of a message is kept: all of a control frame, and of an audio message what numbers it.
  static constexpr std::size_t kHeadBytes = 160;

  enum class Outcome { kNeedsMore, kMessage, kBroken };

  // Takes bytes from the front of `bytes`, up to the end of a message at most. Broken is what this protocol's
  // server never sends: masked, fragmented, compressed or endless messages.
  Outcome take(std::string_view& bytes);

  // Of the message that has ended. Valid until the next take() or discard().
  std::uint8_t opcode() const { return opcode_; }
  std::string_view head() const { return {head_.data(), head_size_}; }
  std::uint64_t message_bytes() const { return message_bytes_; }

  // So many bytes come next of which nothing is wanted; whoever can make away with them unread tells by
  // discard(), of which at most that many.
  std::uint64_t discardable() const { return head_size_ == kHeadBytes ? left_ : 0; }
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
  std::array<char, kHeadBytes> head_{};
  std::size_t head_size_ = 0;
};

}  // namespace auralis
