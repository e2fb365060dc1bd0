// SPDX-License-Identifier: MIT
#include "tools/message.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>

#include "streamd/encode/frame.h"

namespace auralis {
namespace {

std::uint64_t little_endian(std::string_view head, std::size_t offset, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8U | static_cast<std::uint8_t>(head[offset + i]);
  return value;
}

// The number after "name": in a JSON object, of which `head` may be the beginning.
template <typename Number>
std::optional<Number> number_field(std::string_view head, std::string_view quoted_name) {
  const std::size_t found = head.find(quoted_name);
  if (found == std::string_view::npos) return std::nullopt;
  Number number{};
  const char* const begin = head.data() + found + quoted_name.size();
  const char* const end = head.data() + head.size();
  const auto [stop, error] = std::from_chars(begin, end, number);
  // A number that ends with the head may continue beyond it.
  if (error != std::errc() || stop == end) return std::nullopt;
  return number;
}

bool has(std::string_view head, std::string_view field) { return head.find(field) != std::string_view::npos; }

}  // namespace

ServerMessage read_binary_message(std::string_view head) {
  ServerMessage message;
  if (head.size() < kHeaderBytes || head.substr(0, 4) != "AUR1") return message;
  const std::uint64_t rate = little_endian(head, 24, 4);
  const std::uint64_t frames = little_endian(head, 28, 4);
  if (rate == 0 || frames == 0) return message;
  message.kind = ServerMessage::Kind::kAudio;
  message.seq = little_endian(head, 8, 8);
  message.chunk_ns = static_cast<std::int64_t>(frames * 1'000'000'000 / rate);
  const std::uint64_t flags = little_endian(head, 6, 2);
  message.silence = (flags & kFlagSilence) != 0;
  message.begins = (flags & kFlagBegins) != 0;
  message.opus = static_cast<std::uint8_t>(head[4]) == kCodecOpus;
  message.due_us = static_cast<std::int64_t>(little_endian(head, 16, 8));
  message.sample_rate = static_cast<std::uint32_t>(rate);
  message.frames = static_cast<std::uint32_t>(frames);
  return message;
}

ServerMessage read_text_message(std::string_view head) {
  ServerMessage message;
  if (head.empty() || head.front() != '{') return message;
  const bool audio = has(head, R"("type":"audio")");
  const bool warning = has(head, R"("type":"warning")");
  if (has(head, R"("type":"buffer_status")")) {
    const auto dropped = number_field<std::uint64_t>(head, R"("dropped":)");
    if (dropped) {
      message.kind = ServerMessage::Kind::kStatus;
      message.dropped = *dropped;
    }
    return message;
  }
  if (!audio && !warning) {
    message.kind = ServerMessage::Kind::kOther;
    return message;
  }
  const auto seq = number_field<std::uint64_t>(head, R"("seq":)");
  const auto chunk_ms = number_field<double>(head, R"("duration_ms":)");
  if (!seq || (audio && !(chunk_ms && *chunk_ms > 0))) return message;
  message.seq = *seq;
  if (audio) {
    message.kind = ServerMessage::Kind::kAudio;
    message.chunk_ns = std::llround(*chunk_ms * 1e6);
  } else if (has(head, R"("code":"skipped")")) {
    message.kind = ServerMessage::Kind::kSkipped;
  } else if (has(head, R"("code":"underrun")")) {
    message.kind = ServerMessage::Kind::kUnderrun;
  } else {
    message.kind = ServerMessage::Kind::kOther;
  }
  return message;
}

}  // namespace auralis
