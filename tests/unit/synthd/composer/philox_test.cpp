// SPDX-License-Identifier: MIT
#include "synthd/composer/philox.h"

#include "synthd/composer/random_stream.h"

#include <doctest/doctest.h>

#include <array>

namespace auralis::philox_test {

// Test vectors of the authors for philox4x32 with 10 rounds (Random123, kat_vectors).
TEST_CASE("Philox reproduces the published test vectors") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("streams of different seeds, purposes and indices differ") {
  const auto first = [](std::uint64_t seed, Purpose purpose, std::int64_t index) {
    return RandomStream(seed, purpose, index).next();
  };
  const std::uint32_t base = first(1, Purpose::kChord, 7);
  CHECK(first(1, Purpose::kChord, 7) == base);
  CHECK(first(1 + (1ULL << 32), Purpose::kChord, 7) != base);
  CHECK(first(1, Purpose::kMelody, 7) != base);
  CHECK(first(1, Purpose::kChord, 7 + (1LL << 32)) != base);
  RandomStream stream(1, Purpose::kChord, 7);
  for (int i = 0; i < 4; ++i) stream.next();
  CHECK(stream.next() != base);  // a new block
}

TEST_CASE("a bounded draw stays below its bound and is uniform") {
  RandomStream stream(3, Purpose::kMelody, 0);
  std::array<int, 5> counts{};
  constexpr int kDraws = 10'000;
  for (int i = 0; i < kDraws; ++i) ++counts.at(stream.below(5));
  for (const int count : counts) CHECK(count == doctest::Approx(kDraws / 5.0).epsilon(0.06));  // 3 sigma
}

}  // namespace auralis::philox_test
