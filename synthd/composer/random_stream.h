// SPDX-License-Identifier: MIT
// Random numbers for one decision of the composer: a stream keyed by (seed, purpose, index), so that a
// decision depends neither on how many numbers another one drew nor on what was composed before. One thread.
#pragma once

#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "synthd/composer/philox.h"

namespace auralis {

// Purpose of a stream. The values are part of the music: changing one changes what is composed.
enum class Purpose : std::uint32_t {
  kChord = 1,     // index: bar
  kVoicing = 2,   // index: bar
  kPhrase = 3,    // index: phrase of the melody
  kMelody = 4,    // index: bar
  kKick = 5,      // index: group of bars
  kSwell = 6,     // index: group of bars
  kFullness = 7,  // index: point of the arc
  kHeight = 8,    // index: point of the arc
  kPad = 9,       // index: bar
};

class RandomStream {
 public:
  RandomStream(std::uint64_t seed, Purpose purpose, std::int64_t index)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        counter_{0, static_cast<std::uint32_t>(purpose),
                 static_cast<std::uint32_t>(static_cast<std::uint64_t>(index)),
                 static_cast<std::uint32_t>(static_cast<std::uint64_t>(index) >> 32)} {}

  // 32 uniform bits.
  std::uint32_t next() {
    if (used_ == block_.size()) {
      block_ = philox4x32(counter_, key_);
      ++counter_[0];
      used_ = 0;
    }
    return block_[used_++];
  }

  // Uniform in 0 .. bound - 1, apart from a bias below bound / 2^32.
  std::uint32_t below(std::uint32_t bound) {
    assert(bound > 0);
    return static_cast<std::uint32_t>((std::uint64_t{next()} * bound) >> 32);
  }

 private:
  PhiloxKey key_;
  PhiloxCounter counter_;
  PhiloxCounter block_{};
  std::size_t used_ = block_.size();
};

// Converts a control of 0 to 1 to an integer of 0 to 256: decisions use integers, so that every machine
// composes the same music.
inline std::uint32_t in_256ths(float level) {
  assert(0 <= level && level <= 1);
  return static_cast<std::uint32_t>(std::lround(level * 256));
}

}  // namespace auralis
