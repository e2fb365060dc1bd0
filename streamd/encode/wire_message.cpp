// SPDX-License-Identifier: MIT
#include "streamd/encode/wire_message.h"

#include <array>
#include <charconv>
#include <utility>
#include <websocketpp/frame.hpp>

namespace auralis {
namespace {

namespace frame = websocketpp::frame;

std::shared_ptr<WireMessage> enclosed(std::string head, std::string_view payload) {
  auto message = std::make_shared<WireMessage>();
  message->bytes = std::move(head);
  message->payload_begin = message->bytes.size();
  message->bytes += payload;
  message->payload_end = message->bytes.size();
  return message;
}

WireMessagePtr framed(frame::opcode::value opcode, std::string_view payload) {
  const frame::basic_header header(opcode, payload.size(), true, false);
  const frame::extended_header extended(payload.size());
  return enclosed(frame::prepare_header(header, extended), payload);
}

}  // namespace

WireMessagePtr make_text_message(std::string_view payload) { return framed(frame::opcode::text, payload); }
WireMessagePtr make_binary_message(std::string_view payload) {
  return framed(frame::opcode::binary, payload);
}

WireMessagePtr make_http_chunk(std::string_view payload) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), payload.size(), 16).ptr;
  auto message = enclosed(std::string(digits.data(), end) + "\r\n", payload);
  message->bytes += "\r\n";
  return message;
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
