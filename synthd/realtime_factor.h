// SPDX-License-Identifier: MIT
// How much faster than real time synthd renders all of its stations, over the last seconds. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "common/base/clock.h"

namespace auralis {

// One thread. Takes no memory.
class RealtimeFactor {
 public:
  // Adds a batch that was complete at `now_ns` (CLOCK_MONOTONIC) after `spent_ns`: `chunks` chunks of
  // `chunk_ns`, of `stations` stations that play; no chunk for a warm-up, which no listener hears.
  void add(std::int64_t now_ns, std::size_t chunks, std::size_t stations, std::int64_t chunk_ns,
           std::int64_t spent_ns) {
    Second& second = seconds_.at(static_cast<std::size_t>(now_ns / kNsPerSecond) % kSeconds);
    if (second.number != now_ns / kNsPerSecond) second = {now_ns / kNsPerSecond, 0, 0};
    second.audio_ns +=
        static_cast<double>(chunks) * static_cast<double>(chunk_ns) / static_cast<double>(stations);
    second.spent_ns += static_cast<double>(spent_ns);
  }

  // Length of the audio that was rendered for each station, for a second of rendering: below 1, synthd cannot
  // keep up. Nothing if it has not rendered in the last seconds.
  std::optional<double> value(std::int64_t now_ns) const {
    double audio_ns = 0;
    double spent_ns = 0;
    for (const Second& second : seconds_) {
      if (now_ns / kNsPerSecond - second.number >= kSeconds) continue;
      audio_ns += second.audio_ns;
      spent_ns += second.spent_ns;
    }
    if (!(spent_ns > 0)) return std::nullopt;
    return audio_ns / spent_ns;
  }

  static constexpr std::int64_t kSeconds = 5;  // that count, the current one included

 private:
  struct Second {
    std::int64_t number = -kSeconds;
    double audio_ns = 0;
    double spent_ns = 0;
  };
  std::array<Second, kSeconds> seconds_{};
};

}  // namespace auralis
