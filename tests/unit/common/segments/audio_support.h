// SPDX-License-Identifier: MIT
// Chunks whose every sample follows from their number, so that a torn one is seen.
#pragma once

#include <cstdint>
#include <vector>

namespace auralis::test {

inline std::int16_t sample_of(std::int64_t chunk, std::size_t index) {
  // Of the upper bits, which differ from chunk to chunk and from sample to sample.
  const auto mixed = (static_cast<std::uint64_t>(chunk) * 0x9e3779b97f4a7c15ULL) ^
                     (static_cast<std::uint64_t>(index) * 0xbf58476d1ce4e5b9ULL);
  return static_cast<std::int16_t>(mixed >> 40U);
}

inline void fill(std::vector<std::int16_t>& samples, std::int64_t chunk) {
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = sample_of(chunk, i);
}

inline bool whole(const std::vector<std::int16_t>& samples, std::int64_t chunk) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples[i] != sample_of(chunk, i)) return false;
  }
  return true;
}

}  // namespace auralis::test
