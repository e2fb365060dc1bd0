// SPDX-License-Identifier: MIT
// A writer at full speed, far beyond any real one, and readers that it keeps overtaking. What this does not
// prove is the order of memory on weaker machines than the one it runs on: that is ThreadSanitizer's part.
#include "common/segments/audio_ring.h"

#include "tests/unit/common/segments/audio_support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <thread>
#include <vector>

namespace auralis::audio_ring_concurrency_test {
namespace {

constexpr RingGeometry kGeometry{4, 256};
constexpr std::int64_t kChunks = 100'000;
constexpr std::size_t kReaders = 3;

struct alignas(64) Line {
  std::byte bytes[64];
};

struct Tally {
  std::int64_t delivered = 0;
  std::int64_t torn = 0;
};

// Reads around the newest chunk, where the writer is at work, until it has read the last one.
Tally read_until_last(const RingReader& ring) {
  Tally tally;
  std::vector<std::int16_t> samples(kGeometry.chunk_samples);
  for (bool done = false; !done;) {
    const std::int64_t newest = ring.newest().value_or(0);
    // The oldest slots are the ones that are overwritten next.
    for (std::int64_t chunk = std::max<std::int64_t>(newest - kGeometry.slots + 1, 0); chunk <= newest;
         ++chunk) {
      if (ring.read(chunk, samples.data()) != RingRead::kChunk) continue;
      ++tally.delivered;
      if (!test::whole(samples, chunk)) ++tally.torn;
      done = chunk == kChunks - 1;
    }
  }
  return tally;
}

TEST_CASE("no reader is ever given a torn chunk, and each reads the last one") {
  const auto memory = std::make_unique<Line[]>(kGeometry.bytes() / sizeof(Line));
  std::thread writer([&] {
    RingWriter ring(memory[0].bytes, kGeometry);
    std::vector<std::int16_t> samples(kGeometry.chunk_samples);
    for (std::int64_t chunk = 0; chunk < kChunks; ++chunk) {
      test::fill(samples, chunk);
      ring.write(chunk, samples.data());
    }
  });
  std::array<Tally, kReaders> tallies;
  std::vector<std::thread> readers;
  readers.reserve(tallies.size());
  for (Tally& tally : tallies) {
    readers.emplace_back([&] { tally = read_until_last(RingReader(memory[0].bytes, kGeometry)); });
  }
  writer.join();
  for (auto& reader : readers) reader.join();
  for (const Tally& tally : tallies) {
    CHECK(tally.delivered > 0);
    CHECK(tally.torn == 0);
  }
}

}  // namespace
}  // namespace auralis::audio_ring_concurrency_test
