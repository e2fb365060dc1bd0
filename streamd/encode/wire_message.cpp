// SPDX-License-Identifier: MIT
#include "streamd/encode/wire_message.h"

#include <array>
#include <charconv>
#include <websocketpp/frame.hpp>

namespace auralis {
namespace {

namespace frame = websocketpp::frame;

// Between `head` and `tail`.
std::shared_ptr<WireMessage> enclosed(std::string_view head, std::string_view payload,
                                      std::string_view tail = {}) {
  auto message = std::make_shared<WireMessage>();
  message->bytes.reserve(head.size() + payload.size() + tail.size());
  message->bytes.append(head).append(payload).append(tail);
  message->payload_begin = head.size();
  message->payload_end = head.size() + payload.size();
  return message;
}

std::string frame_header(frame::opcode::value opcode, std::size_t payload_bytes) {
  const frame::basic_header header(opcode, payload_bytes, true, false);
  return frame::prepare_header(header, frame::extended_header(payload_bytes));
}

WireMessagePtr framed(frame::opcode::value opcode, std::string_view payload) {
  return enclosed(frame_header(opcode, payload.size()), payload);
}

}  // namespace

WireMessagePtr make_text_message(std::string_view payload) { return framed(frame::opcode::text, payload); }
WireMessagePtr make_binary_message(std::string_view payload) {
  return framed(frame::opcode::binary, payload);
}

std::shared_ptr<WireMessage> reserve_binary_message(std::size_t payload_bytes) {
  auto message = std::make_shared<WireMessage>();
  const std::string head = frame_header(frame::opcode::binary, payload_bytes);
  message->bytes.reserve(head.size() + payload_bytes);
  message->bytes.append(head).append(payload_bytes, '\0');
  message->payload_begin = head.size();
  message->payload_end = message->bytes.size();
  return message;
}

WireMessagePtr make_http_chunk(std::string_view payload) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), payload.size(), 16).ptr;
  return enclosed(std::string(digits.data(), end) + "\r\n", payload, "\r\n");
}

WireMessagePtr make_last_http_chunk() {
  auto message = std::make_shared<WireMessage>();
  message->bytes = "0\r\n\r\n";
  return message;
}

WireMessagePtr make_raw_message(std::string bytes) {
  auto message = std::make_shared<WireMessage>();
  message->bytes = std::move(bytes);
  message->payload_end = message->bytes.size();
  return message;
}

std::string_view payload_of(const WireMessage& message) {
  return std::string_view(message.bytes)
      .substr(message.payload_begin, message.payload_end - message.payload_begin);
}

}  // namespace auralis
