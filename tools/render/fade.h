// SPDX-License-Identifier: MIT
// Fades a piece of music in and out. Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace auralis {

struct Fade {
  std::int64_t frames = 0;  // of the whole piece
  std::int64_t length = 0;  // frames that each fade takes; 0: none

  // The gain of frame `at` of the piece: linear.
  double gain(std::int64_t at) const {
    const std::int64_t from_end = std::min(at + 1, frames - at);
    return from_end >= length ? 1.0 : static_cast<double>(from_end) / static_cast<double>(length);
  }

  // Scales stereo frames, of which the first is frame `at` of the piece.
  template <typename Sample>
  void apply(std::vector<Sample>& samples, std::int64_t at) const {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const double scaled = gain(at + static_cast<std::int64_t>(i / 2)) * static_cast<double>(samples[i]);
      samples[i] = static_cast<Sample>(std::is_integral_v<Sample> ? std::round(scaled) : scaled);
    }
  }
};

}  // namespace auralis
