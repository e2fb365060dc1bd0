// SPDX-License-Identifier: MIT
#include "tools/wire.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>

#include "common/base/text.h"

namespace auralis {
namespace {

constexpr std::size_t kLongestHead = 16'384;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::string base64(const std::uint8_t* bytes, std::size_t size) {
  std::string text((size + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock closes with a zero
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

char lower(char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string websocket_key(const std::array<std::uint8_t, 16>& random) {
  return base64(random.data(), random.size());
}

std::string upgrade_fields(const std::string& key, const std::string& protocol) {
  return "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
         key + "\r\nSec-WebSocket-Protocol: " + protocol + "\r\n";
}

std::string websocket_accept(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return base64(digest.data(), size);
}

std::string client_frame(std::uint8_t opcode, std::string_view payload, std::uint32_t mask) {
  assert(payload.size() <= 125);
  payload = payload.substr(0, 125);
  std::array<std::uint8_t, 4> mask_bytes{};
  std::memcpy(mask_bytes.data(), &mask, mask_bytes.size());
  std::string frame;
  frame.push_back(static_cast<char>(0x80U | opcode));
  frame.push_back(static_cast<char>(0x80U | payload.size()));
  frame.append(mask_bytes.begin(), mask_bytes.end());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(static_cast<char>(static_cast<std::uint8_t>(payload[i]) ^ mask_bytes.at(i % 4)));
  }
  return frame;
}

void ResponseHead::take(std::string_view& bytes) {
  if (whole_) return;
  // Its end may have begun in an earlier piece.
  const std::size_t before = text_.size();
  text_.append(bytes);
  const std::size_t end = text_.find(kHeadEnd, before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    bytes = {};
    return;
  }
  whole_ = true;
  text_.resize(end + kHeadEnd.size());
  bytes.remove_prefix(text_.size() - before);
}

bool ResponseHead::too_long() const { return !whole_ && text_.size() > kLongestHead; }

int ResponseHead::status() const {
  const std::string_view text = text_;
  if (text.substr(0, 7) != "HTTP/1." || text.size() < 12 || text[8] != ' ') return 0;
  int status = 0;
  const char* const end = text.data() + 12;
  return std::from_chars(text.data() + 9, end, status).ptr == end ? status : 0;
}

std::string_view ResponseHead::field(std::string_view name) const {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && same_name(line.substr(0, colon), name)) {
      return trimmed(line.substr(colon + 1));
    }
  }
  return {};
}

bool FrameReader::take_header(std::string_view& bytes) {
  for (;;) {
    std::size_t size = 2;
    if (header_size_ >= 2) {
      const unsigned length = header_[1] & 0x7FU;
      size += length == 126 ? 2 : length == 127 ? 8 : 0;
    }
    if (header_size_ == size) return true;
    if (bytes.empty()) return false;
    header_.at(header_size_++) = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
  }
}

bool FrameReader::begin_message() {
  const unsigned final_and_reserved = header_[0] & 0xF0U;
  const bool masked = (header_[1] & 0x80U) != 0;
  opcode_ = header_[0] & 0x0FU;
  message_bytes_ = header_[1] & 0x7FU;
  if (header_size_ > 2) {
    message_bytes_ = 0;
    for (std::size_t i = 2; i < header_size_; ++i) message_bytes_ = message_bytes_ << 8U | header_.at(i);
  }
  left_ = message_bytes_;
  header_size_ = 0;
  head_.clear();
  in_payload_ = true;
  const bool control = opcode_ >= kOpcodeClose;
  const bool known = opcode_ == kOpcodeText || opcode_ == kOpcodeBinary ||
                     (kOpcodeClose <= opcode_ && opcode_ <= kOpcodePong);
  return final_and_reserved == 0x80U && !masked && known &&
         message_bytes_ <= (control ? 125 : kLongestMessage);
}

FrameReader::Outcome FrameReader::take(std::string_view& bytes) {
  if (!in_payload_) {
    if (!take_header(bytes)) return Outcome::kNeedsMore;
    if (!begin_message()) return Outcome::kBroken;
  }
  const std::size_t taken = std::min<std::uint64_t>(bytes.size(), left_);
  head_.append(bytes.substr(0, std::min(taken, kept_bytes_ - head_.size())));
  bytes.remove_prefix(taken);
  return discard(taken);
}

FrameReader::Outcome FrameReader::discard(std::uint64_t bytes) {
  assert(bytes <= left_);
  left_ -= bytes;
  if (left_ > 0) return Outcome::kNeedsMore;
  in_payload_ = false;
  return Outcome::kMessage;
}

}  // namespace auralis
