// SPDX-License-Identifier: MIT
#include "synthd/ring_shape.h"

#include <cassert>

#include "common/base/clock.h"

namespace auralis {
namespace {

constexpr std::int64_t kFirstChunkLeadNs = 200 * kNsPerMs;  // time to render the first chunk of a new segment

}  // namespace

Timeline make_timeline(const Config& config, std::int64_t now_ns) {
  assert(config.audio.sample_rate * config.audio.chunk_ms % 1'000 == 0 &&
         "a chunk is a whole number of frames");
  Timeline timeline;
  timeline.epoch_ns = now_ns + kFirstChunkLeadNs;
  timeline.sample_rate = static_cast<std::uint32_t>(config.audio.sample_rate);
  timeline.chunk_frames =
      static_cast<std::uint32_t>(config.audio.sample_rate * config.audio.chunk_ms / 1'000);
  return timeline;
}

std::uint32_t ring_slots(const Config& config) {
  return static_cast<std::uint32_t>(config.audio.ring_ms / config.audio.chunk_ms);
}

}  // namespace auralis
