// SPDX-License-Identifier: MIT
#include "tools/wire.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace auralis::wire_test {
namespace {

using Outcome = FrameReader::Outcome;

// A frame as a server sends it.
std::string server_frame(std::uint8_t opcode, const std::string& payload) {
  std::string frame(1, static_cast<char>(0x80U | opcode));
  const auto append_length = [&](int bytes) {
    for (int i = bytes - 1; i >= 0; --i) frame.push_back(static_cast<char>(payload.size() >> (8 * i)));
  };
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(payload.size()));
  } else {
    const bool is_short = payload.size() < 65'536;
    frame.push_back(is_short ? 126 : 127);
    append_length(is_short ? 2 : 8);
  }
  return frame + payload;
}

// Of another letter at each place, so that what is kept cannot be from elsewhere.
std::string payload_of(std::size_t size) {
  std::string payload(size, '\0');
  for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>('a' + i % 26);
  return payload;
}

struct Read {
  std::uint8_t opcode;
  std::string head;
  std::uint64_t bytes;
  bool operator==(const Read& other) const {
    return opcode == other.opcode && head == other.head && bytes == other.bytes;
  }
};

// Feeds a piece to its end; false where it is broken.
bool feed(FrameReader& reader, std::string_view piece, std::vector<Read>& read) {
  while (!piece.empty()) {
    const Outcome outcome = reader.take(piece);
    if (outcome == Outcome::kBroken) return false;
    if (outcome == Outcome::kMessage) {
      read.push_back({reader.opcode(), std::string(reader.head()), reader.message_bytes()});
    }
  }
  return true;
}

std::vector<std::pair<std::uint8_t, std::string>> messages() {
  return {{kOpcodeText, "{}"},
          {kOpcodeBinary, payload_of(125)},
          {kOpcodeBinary, payload_of(126)},
          {kOpcodeClose, ""},
          {kOpcodeBinary, payload_of(FrameReader::kHeadBytes)},
          {kOpcodePing, payload_of(5)},
          {kOpcodeText, payload_of(FrameReader::kHeadBytes + 1)},
          {kOpcodeBinary, payload_of(65'536)},
          {kOpcodePong, ""}};
}

std::vector<Read> expected() {
  std::vector<Read> all;
  for (const auto& [opcode, payload] : messages()) {
    all.push_back({opcode, payload.substr(0, FrameReader::kHeadBytes), payload.size()});
  }
  return all;
}

std::string stream() {
  std::string bytes;
  for (const auto& [opcode, payload] : messages()) bytes += server_frame(opcode, payload);
  return bytes;
}

TEST_CASE("an accepted key is that of RFC 6455's example") {
  CHECK(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  std::array<std::uint8_t, 16> nonce{};
  const std::string text = "the sample nonce";
  std::copy(text.begin(), text.end(), nonce.begin());
  CHECK(websocket_key(nonce) == "dGhlIHNhbXBsZSBub25jZQ==");
}

TEST_CASE("a client's frame is masked as in RFC 6455's example") {
  // In memory, the mask's bytes are 37 FA 21 3D.
  CHECK(client_frame(kOpcodeText, "Hello", 0x3D21FA37) == "\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58");
}

TEST_CASE("messages are the same in one piece, byte by byte, and cut in two anywhere") {
  const std::string bytes = stream();
  std::vector<Read> read;
  FrameReader whole;
  REQUIRE(feed(whole, bytes, read));
  CHECK(read == expected());

  read.clear();
  FrameReader by_byte;
  for (const char& byte : bytes) REQUIRE(feed(by_byte, {&byte, 1}, read));
  CHECK(read == expected());

  for (std::size_t cut = 0; cut <= 1'200; ++cut) {
    CAPTURE(cut);
    read.clear();
    FrameReader reader;
    REQUIRE(feed(reader, std::string_view(bytes).substr(0, cut), read));
    REQUIRE(feed(reader, std::string_view(bytes).substr(cut), read));
    REQUIRE(read == expected());
  }
}

TEST_CASE("a reader that keeps whole messages has nothing to discard") {
  const std::string bytes = stream();
  FrameReader reader(FrameReader::kLongestMessage);
  std::vector<Read> read;
  for (std::size_t at = 0; at < bytes.size(); at += 1'000) {
    REQUIRE(feed(reader, std::string_view(bytes).substr(at, 1'000), read));
    REQUIRE(reader.discardable() == 0);
  }
  std::vector<Read> whole;
  for (const auto& [opcode, payload] : messages()) whole.push_back({opcode, payload, payload.size()});
  CHECK(read == whole);
}

TEST_CASE("what is discarded unread is as good as read") {
  const std::string bytes = stream();
  for (const std::size_t piece : {1U, 7U, 170U, 1'000U, 70'000U}) {
    for (const std::uint64_t most : {1U, 30'000U, 100'000U}) {
      CAPTURE(piece);
      CAPTURE(most);
      FrameReader reader;
      std::vector<Read> read;
      std::uint64_t discarded = 0;
      for (std::size_t at = 0; at < bytes.size();) {
        if (const std::uint64_t count = std::min(reader.discardable(), most); count > 0) {
          at += count;
          discarded += count;
          if (reader.discard(count) == Outcome::kMessage) {
            read.push_back({reader.opcode(), std::string(reader.head()), reader.message_bytes()});
          }
        } else {
          const std::string_view next = std::string_view(bytes).substr(at, piece);
          REQUIRE(feed(reader, next, read));
          at += next.size();
        }
      }
      CHECK(read == expected());
      if (piece < 1'000) CHECK(discarded > 60'000);
    }
  }
}

TEST_CASE("nothing that numbers or ends a stream is ever discardable") {
  FrameReader reader;
  const std::string frame = server_frame(kOpcodeBinary, payload_of(1'000));
  for (std::size_t i = 0; i < frame.size(); ++i) {
    CAPTURE(i);
    if (i < 4 + FrameReader::kHeadBytes) {
      CHECK(reader.discardable() == 0);
    } else {
      CHECK(reader.discardable() == frame.size() - i);
    }
    std::string_view byte(&frame[i], 1);
    reader.take(byte);
  }
  CHECK(reader.discardable() == 0);
}

TEST_CASE("frames that a server must not send are broken") {
  const std::vector<std::pair<const char*, std::string>> frames{
      {"masked", std::string("\x82\x81\0\0\0\0a", 7)},
      {"a fragment", std::string("\x02\x01\x61", 3)},
      {"the rest of one", std::string("\x80\x01\x61", 3)},
      {"compressed", std::string("\xC2\x01\x61", 3)},
      {"of no known kind", std::string("\x83\x01\x61", 3)},
      {"a long control frame", server_frame(kOpcodePing, payload_of(126))},
      {"endless", std::string("\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10)},
  };
  for (const auto& frame : frames) {
    CAPTURE(frame.first);
    FrameReader reader;
    std::vector<Read> read;
    CHECK_FALSE(feed(reader, frame.second, read));
    CHECK(read.empty());
  }
}

TEST_CASE("a response's head is the same however it is cut, and leaves what follows") {
  const std::string response =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nsec-websocket-ACCEPT:  abc= "
      "\r\nEmpty:\r\n\r\n";
  const std::string rest = "\x81\x02{}\r\n\r\n";
  for (std::size_t cut = 0; cut <= response.size(); ++cut) {
    CAPTURE(cut);
    ResponseHead head;
    const std::string all = response + rest;
    std::string_view first = std::string_view(all).substr(0, cut);
    std::string_view second = std::string_view(all).substr(cut);
    head.take(first);
    CHECK(first.empty());
    CHECK(head.whole() == (cut == response.size()));
    head.take(second);
    REQUIRE(head.whole());
    CHECK(second == rest);
    CHECK(head.status() == 101);
    CHECK(head.field("Sec-WebSocket-Accept") == "abc=");
    CHECK(head.field("Empty").empty());
    CHECK(head.field("Accept").empty());
  }
}

TEST_CASE("what is no response of HTTP has no status, and an endless one is too long") {
  for (const char* text :
       {"HTTP/2 200 OK\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "\r\n\r\n"}) {
    CAPTURE(text);
    ResponseHead head;
    std::string_view bytes = text;
    head.take(bytes);
    REQUIRE(head.whole());
    CHECK(head.status() == 0);
  }
  ResponseHead endless;
  for (int i = 0; i < 100 && !endless.too_long(); ++i) {
    const std::string text(1'000, 'x');
    std::string_view bytes = text;
    endless.take(bytes);
  }
  CHECK(endless.too_long());
}

}  // namespace
}  // namespace auralis::wire_test
