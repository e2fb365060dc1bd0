// SPDX-License-Identifier: MIT
// When each chunk of a station is due. Pure arithmetic over one shared epoch, so that any number of
// processes, on any schedule, agree on it without communicating.
#pragma once

#include <cstdint>

#include "common/base/clock.h"

namespace auralis {

struct Timeline {
  std::int64_t epoch_ns = 0;           // CLOCK_MONOTONIC at which chunk 0 is due
  std::uint32_t sample_rate = 44'100;  // frames a second
  std::uint32_t chunk_frames = 4'410;  // frames a chunk; chunk_frames / sample_rate is a whole number of ms
  std::uint32_t channels = 2;

  // Exact: the configuration admits only chunks of whole milliseconds and whole frames.
  std::int64_t chunk_ns() const {
    return static_cast<std::int64_t>(chunk_frames) * kNsPerSecond / static_cast<std::int64_t>(sample_rate);
  }

  // Time at which `chunk` is due, CLOCK_MONOTONIC.
  std::int64_t due_ns(std::int64_t chunk) const { return epoch_ns + chunk * chunk_ns(); }

  // The chunk in which `now_ns` falls, rounded down: negative before the epoch.
  std::int64_t chunk_at(std::int64_t now_ns) const {
    const std::int64_t since = now_ns - epoch_ns;
    const std::int64_t chunk = since / chunk_ns();
    return since % chunk_ns() < 0 ? chunk - 1 : chunk;
  }

  // First frame of `chunk` on the station's sample axis.
  std::int64_t first_frame(std::int64_t chunk) const {
    return chunk * static_cast<std::int64_t>(chunk_frames);
  }

  // How far the end of `newest` lies ahead of `now_ns`; negative once the ring has run dry.
  std::int64_t depth_ns(std::int64_t newest, std::int64_t now_ns) const {
    return due_ns(newest + 1) - now_ns;
  }

  std::uint32_t chunk_samples() const { return chunk_frames * channels; }
};

inline bool operator==(const Timeline& a, const Timeline& b) {
  return a.epoch_ns == b.epoch_ns && a.sample_rate == b.sample_rate && a.chunk_frames == b.chunk_frames &&
         a.channels == b.channels;
}
inline bool operator!=(const Timeline& a, const Timeline& b) { return !(a == b); }

}  // namespace auralis
