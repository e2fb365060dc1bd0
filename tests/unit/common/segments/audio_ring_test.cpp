// SPDX-License-Identifier: MIT
#include "common/segments/audio_ring.h"

#include "tests/unit/common/segments/audio_support.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace auralis::audio_ring_test {
namespace {

using test::fill;
using test::whole;

constexpr RingGeometry kGeometry{4, 21};  // samples that end in the middle of a word

// A ring in zeroed memory, as a fresh segment gives it.
struct Ring {
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::unique_ptr<Line[]> lines = std::make_unique<Line[]>(kGeometry.bytes() / 64);
  std::byte* memory = lines[0].bytes;
  RingWriter writer{memory, kGeometry};
  RingReader reader{memory, kGeometry};
  std::vector<std::int16_t> samples = std::vector<std::int16_t>(kGeometry.chunk_samples);

  void write(std::int64_t chunk) {
    fill(samples, chunk);
    writer.write(chunk, samples.data());
  }
  RingRead read(std::int64_t chunk) {
    samples.assign(samples.size(), 0);
    return reader.read(chunk, samples.data());
  }
  SharedWord& sequence(std::size_t slot) {
    return *reinterpret_cast<SharedWord*>(memory + slot * kGeometry.slot_bytes());
  }
};

TEST_CASE("a slot holds its sequence and its samples, in whole cache lines") {
  CHECK(RingGeometry{1, 28}.slot_bytes() == 64);
  CHECK(RingGeometry{1, 29}.slot_bytes() == 128);
  CHECK(RingGeometry{20, 8'820}.bytes() == 20 * 17'664);
}

TEST_CASE("in a ring that was never written no chunk is there yet") {
  Ring ring;
  CHECK(ring.read(0) == RingRead::kNotYet);
  CHECK(ring.read(7) == RingRead::kNotYet);
  CHECK_FALSE(ring.reader.newest());
  CHECK_FALSE(ring.writer.newest());
}

TEST_CASE("a chunk is read as it was written, from the first on and over many wraps") {
  Ring ring;
  for (std::int64_t chunk = 0; chunk < 3 * std::int64_t{kGeometry.slots}; ++chunk) {
    CHECK(ring.read(chunk) == RingRead::kNotYet);
    ring.write(chunk);
    REQUIRE(ring.read(chunk) == RingRead::kChunk);
    CHECK(whole(ring.samples, chunk));
    CHECK(ring.reader.newest() == chunk);
  }
}

TEST_CASE("the ring holds as many chunks as it has slots; older ones are lapped, later ones not there yet") {
  Ring ring;
  for (std::int64_t chunk = 100; chunk < 106; ++chunk) ring.write(chunk);
  CHECK(ring.read(101) == RingRead::kLapped);
  for (std::int64_t chunk = 102; chunk < 106; ++chunk) {
    CHECK(ring.read(chunk) == RingRead::kChunk);
    CHECK(whole(ring.samples, chunk));
  }
  CHECK(ring.read(106) == RingRead::kNotYet);
}

TEST_CASE("a writer may skip chunks: those are not there, whatever their slots held") {
  Ring ring;
  for (std::int64_t chunk = 0; chunk < 4; ++chunk) ring.write(chunk);
  ring.write(6);
  CHECK(ring.read(5) == RingRead::kNotYet);
  CHECK(ring.read(2) == RingRead::kLapped);
  CHECK(ring.read(3) == RingRead::kChunk);
  CHECK(ring.reader.newest() == 6);
}

TEST_CASE("a chunk that a killed writer left half written is neither delivered nor the newest") {
  Ring ring;
  for (std::int64_t chunk = 0; chunk < 6; ++chunk) ring.write(chunk);
  ring.sequence(6 % 4).store(2 * 6 + 1);  // "chunk 6 being written"
  CHECK(ring.read(6) == RingRead::kNotYet);
  CHECK(ring.read(2) == RingRead::kLapped);
  CHECK(ring.reader.newest() == 5);
  CHECK(ring.writer.newest() == 5);

  ring.sequence(8 % 4).store(2 * 8 + 1);  // nor one that was come to by skipping
  CHECK(ring.reader.newest() == 5);

  // Its successor writes it again.
  ring.write(6);
  CHECK(ring.read(6) == RingRead::kChunk);
  CHECK(whole(ring.samples, 6));
}

TEST_CASE("a sequence that no writer stores in that slot is damage, and no chunk of the future") {
  Ring ring;
  for (std::int64_t chunk = 0; chunk < kGeometry.slots; ++chunk) ring.write(chunk);
  const std::uint64_t next_round = 2 * (1 + std::uint64_t{kGeometry.slots}) + 2;
  ring.sequence(1) = next_round;
  CHECK(ring.read(1) == RingRead::kLapped);
  ring.sequence(1) = next_round - 1;  // being written
  CHECK(ring.read(1) == RingRead::kLapped);
  for (const std::uint64_t noise : {next_round + 2, std::uint64_t{0x9e3779b97f4a7c15}, ~std::uint64_t{0}}) {
    ring.sequence(1) = noise;
    CHECK_MESSAGE((ring.read(1) == RingRead::kNotYet), noise);
  }
}

TEST_CASE("chunk numbers of centuries do not wrap") {
  Ring ring;
  const std::int64_t late = std::int64_t{1} << 60U;
  ring.write(late);
  CHECK(ring.read(late) == RingRead::kChunk);
  CHECK(ring.read(late + 4) == RingRead::kNotYet);
  CHECK(ring.read(0) == RingRead::kLapped);
  CHECK(ring.reader.newest() == late);
}

TEST_CASE("a chunk touches no byte of its neighbours") {
  Ring ring;
  ring.write(0);
  ring.write(2);
  const std::string before(reinterpret_cast<const char*>(ring.memory), kGeometry.bytes());
  ring.write(1);
  const std::string after(reinterpret_cast<const char*>(ring.memory), kGeometry.bytes());
  const std::size_t slot = kGeometry.slot_bytes();
  CHECK(after.substr(0, slot) == before.substr(0, slot));
  CHECK(after.substr(2 * slot) == before.substr(2 * slot));
}

}  // namespace
}  // namespace auralis::audio_ring_test
