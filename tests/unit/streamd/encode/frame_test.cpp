// SPDX-License-Identifier: MIT
#include "streamd/encode/frame.h"

#include <doctest/doctest.h>

#include "streamd/encode/wire_format.h"

#include <nlohmann/json.hpp>

namespace auralis::frame_test {
namespace {

AudioChunk chunk_of(const std::vector<std::int16_t>& samples) {
  AudioChunk chunk;
  chunk.seq = 0x0102030405;
  chunk.due_unix_us = 1'700'000'000'250'000;
  chunk.sample_rate = 44'100;
  chunk.channels = 2;
  chunk.frames = static_cast<std::uint32_t>(samples.size() / 2);
  chunk.samples = Samples::copy_of(samples);
  return chunk;
}

std::uint64_t little_endian_at(const std::string& bytes, std::size_t offset, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t byte = 0; byte < count; ++byte) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[offset + byte])) << 8 * byte;
  }
  return value;
}

TEST_CASE("a JSON chunk has the seed's fields in the seed's order") {
  const auto json = nlohmann::ordered_json::parse(encode_json(chunk_of({1, -1})));
  std::vector<std::string> names;
  for (const auto& item : json.items()) names.push_back(item.key());
  CHECK(names == std::vector<std::string>{"type", "seq", "timestamp", "duration_ms", "sample_rate",
                                          "channels", "data"});
  CHECK(json["type"] == "audio");
  CHECK(json["seq"] == 0x0102030405);
  CHECK(json["timestamp"].get<double>() == doctest::Approx(1'700'000'000.25).epsilon(1e-12));
  CHECK(json["sample_rate"] == 44'100);
  CHECK(json["channels"] == 2);
}

TEST_CASE("a JSON chunk carries its PCM as padded base64, little-endian") {
  // 01 00 ff ff: "AQD//w=="
  CHECK(nlohmann::json::parse(encode_json(chunk_of({1, -1})))["data"] == "AQD//w==");
  CHECK(nlohmann::json::parse(encode_json(chunk_of({1, -1, 2})))["data"] == "AQD//wIA");
}

TEST_CASE("a JSON chunk of 4,410 frames lasts 100 ms") {
  CHECK(nlohmann::json::parse(encode_json(chunk_of(std::vector<std::int16_t>(8'820))))["duration_ms"] ==
        100.0);
}

TEST_CASE("a PCM chunk begins with the 32 bytes of the protocol, little-endian") {
  AudioChunk chunk = chunk_of({0x1234, -2});
  chunk.silence = true;
  const std::string bytes = pcm_header(chunk);
  REQUIRE(bytes.size() == kHeaderBytes);
  using namespace std::string_literals;
  CHECK(bytes.substr(0, 8) == "AUR1\x00\x02\x01\x00"s);
  CHECK(bytes.substr(8, 8) == "\x05\x04\x03\x02\x01\x00\x00\x00"s);
  CHECK(bytes.substr(24, 4) == "\x44\xac\x00\x00"s);  // 44,100
  CHECK(bytes.substr(28, 4) == "\x01\x00\x00\x00"s);
  CHECK(little_endian_at(bytes, 16, 8) == 1'700'000'000'250'000);
}

TEST_CASE(
    "an Opus chunk has the same header, says when its sound is due, and carries packets after their "
    "lengths") {
  using namespace std::string_literals;
  AudioChunk chunk = chunk_of({1, -1});
  OpusChunk opus;
  opus.packets = {"abc", std::string(300, 'x')};
  opus.frames = 1'920;
  opus.lead_frames = 480;
  opus.begins = true;
  const std::string bytes = encode_opus(chunk, opus);
  REQUIRE(bytes.size() == kHeaderBytes + 2 + 3 + 2 + 300);
  CHECK(bytes.substr(0, 8) == "AUR1\x01\x02\x02\x00"s);
  CHECK(bytes.substr(8, 8) == "\x05\x04\x03\x02\x01\x00\x00\x00"s);
  CHECK(little_endian_at(bytes, 16, 8) == 1'700'000'000'240'000);  // 10 ms before the chunk
  CHECK(little_endian_at(bytes, 24, 4) == 48'000);
  CHECK(little_endian_at(bytes, 28, 4) == 1'920);
  CHECK(bytes.substr(32, 7) == "\x03\x00"s + "abc" + "\x2c\x01"s);
  CHECK(bytes.substr(39) == std::string(300, 'x'));

  opus.begins = false;
  CHECK(encode_opus(chunk, opus)[6] == 0);
  chunk.silence = true;
  CHECK(encode_opus(chunk, opus)[6] == 1);
}

TEST_CASE("subprotocols are known by their exact names") {
  CHECK(format_from_subprotocol("auralis.json.v1") == WireFormat::kJson);
  CHECK(format_from_subprotocol("auralis.pcm.v1") == WireFormat::kPcm);
  CHECK(format_from_subprotocol("auralis.opus.v1") == WireFormat::kOpus);
  CHECK(format_from_subprotocol("auralis.messages.v1") == WireFormat::kMessages);
  CHECK_FALSE(format_from_subprotocol("auralis.pcm.v2"));
  CHECK_FALSE(format_from_subprotocol(""));
}

}  // namespace
}  // namespace auralis::frame_test
