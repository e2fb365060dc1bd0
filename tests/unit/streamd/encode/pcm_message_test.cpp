// SPDX-License-Identifier: MIT
#include "streamd/encode/pcm_message.h"

#include <doctest/doctest.h>

#include <vector>

#include "common/segments/audio_ring.h"

namespace auralis::pcm_message_test {
namespace {

using namespace std::string_literals;

AudioChunk chunk_of(const PcmMessage& pcm) {
  AudioChunk chunk;
  chunk.seq = 5;
  chunk.channels = 2;
  chunk.samples = pcm.samples();
  return chunk;
}

// A ring of one slot, in which chunk 0 has these samples.
struct Ring {
  struct alignas(64) Line {  // as a segment aligns its rings
    SharedWord words[8];
  };

  explicit Ring(const std::vector<std::int16_t>& samples)
      : geometry{1, static_cast<std::uint32_t>(samples.size())}, memory(geometry.bytes() / sizeof(Line)) {
    writer.write(0, samples.data());
  }
  std::byte* begin() { return reinterpret_cast<std::byte*>(memory.data()); }

  RingGeometry geometry;
  std::vector<Line> memory;
  RingWriter writer{begin(), geometry};
  RingReader reader{begin(), geometry};
};

TEST_CASE("what is read from the ring is the message, behind its headers") {
  Ring ring({0x1234, -2, 7});
  PcmMessage pcm(3);
  REQUIRE(ring.reader.read(0, pcm.data()) == RingRead::kChunk);
  const AudioChunk chunk = chunk_of(pcm);
  const WireMessagePtr message = pcm.finish(chunk);
  CHECK(message->bytes.substr(0, 2) == "\x82\x26"s);  // binary, 38 bytes
  CHECK(payload_of(*message) == pcm_header(chunk) + "\x34\x12\xfe\xff\x07\x00"s);
}

TEST_CASE("the samples are shared with the message, not copied, and stay when the message is gone") {
  Samples samples;
  {
    Ring ring({1, -1});
    PcmMessage pcm(2);
    REQUIRE(ring.reader.read(0, pcm.data()) == RingRead::kChunk);
    samples = pcm.samples();
    const WireMessagePtr message = pcm.finish(chunk_of(pcm));
    CHECK(samples.bytes().data() == payload_of(*message).data() + kHeaderBytes);
  }
  CHECK(samples.size() == 2);
  CHECK(samples[1] == -1);
}

TEST_CASE("a message into which nothing was read is silence, of any length") {
  for (const std::size_t count : {2U, 100U, 8'820U, 40'000U}) {
    PcmMessage pcm(count);
    const WireMessagePtr message = pcm.finish(chunk_of(pcm));
    const std::string_view payload = payload_of(*message);
    CHECK(payload.size() == kHeaderBytes + 2 * count);
    CHECK(payload.find_first_not_of('\0', kHeaderBytes) == std::string_view::npos);
  }
}

}  // namespace
}  // namespace auralis::pcm_message_test
