// SPDX-License-Identifier: MIT
#include "streamd/encode/wire_message.h"

#include <doctest/doctest.h>

#include <string>

namespace auralis::wire_message_test {
namespace {

using namespace std::string_literals;

TEST_CASE("a WebSocket message is one final, unmasked frame of its kind") {
  CHECK(make_text_message("hi")->bytes == "\x81\x02hi"s);
  CHECK(make_binary_message("hi")->bytes == "\x82\x02hi"s);
  CHECK(make_text_message("")->bytes == "\x81\0"s);
}

TEST_CASE("the length of a frame takes no, two or eight bytes more") {
  CHECK(make_binary_message(std::string(125, 'x'))->bytes.substr(0, 2) == "\x82\x7d"s);
  CHECK(make_binary_message(std::string(126, 'x'))->bytes.substr(0, 4) == "\x82\x7e\0\x7e"s);
  CHECK(make_binary_message(std::string(65'535, 'x'))->bytes.substr(0, 4) == "\x82\x7e\xff\xff"s);
  CHECK(make_binary_message(std::string(65'536, 'x'))->bytes.substr(0, 10) == "\x82\x7f\0\0\0\0\0\x01\0\0"s);
}

TEST_CASE("the payload of a message is what was framed, whatever the framing") {
  for (const std::size_t size : {1U, 125U, 126U, 65'536U}) {
    const std::string payload(size, 'x');
    CHECK(payload_of(*make_text_message(payload)) == payload);
    CHECK(payload_of(*make_binary_message(payload)) == payload);
    CHECK(payload_of(*make_http_chunk(payload)) == payload);
    CHECK(payload_of(*make_raw_message(payload)) == payload);
  }
}

TEST_CASE("a reserved message is that of as many zeros, until it is filled") {
  for (const std::size_t size : {0U, 125U, 126U, 65'536U}) {
    const auto reserved = reserve_binary_message(size);
    CHECK(reserved->bytes == make_binary_message(std::string(size, '\0'))->bytes);
    CHECK(payload_of(*reserved).size() == size);
  }
}

TEST_CASE("an HTTP chunk is its length in hexadecimal digits, its bytes and a line's end") {
  CHECK(make_http_chunk(std::string(26, 'x'))->bytes == "1a\r\n" + std::string(26, 'x') + "\r\n");
  CHECK(make_last_http_chunk()->bytes == "0\r\n\r\n");
  CHECK(payload_of(*make_last_http_chunk()).empty());
}

}  // namespace
}  // namespace auralis::wire_message_test
