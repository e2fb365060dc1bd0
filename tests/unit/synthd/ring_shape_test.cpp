// SPDX-License-Identifier: MIT
#include "synthd/ring_shape.h"

#include <doctest/doctest.h>

namespace auralis::ring_shape_test {

TEST_CASE("a chunk is as long as configured, in whole frames") {
  Config config;
  config.audio.sample_rate = 48'000;
  config.audio.chunk_ms = 40;
  const Timeline timeline = make_timeline(config, 0);
  CHECK(timeline.sample_rate == 48'000);
  CHECK(timeline.chunk_frames == 1'920);
  CHECK(timeline.chunk_ns() == 40 * kNsPerMs);
}

TEST_CASE("a new timeline starts shortly after now, which leaves time to render its first chunk") {
  const std::int64_t now_ns = 5 * kNsPerSecond;
  const Timeline timeline = make_timeline(Config{}, now_ns);
  CHECK(timeline.due_ns(0) > now_ns);
  CHECK(timeline.due_ns(0) <= now_ns + 500 * kNsPerMs);
}

TEST_CASE("a ring holds as many chunks as fit in its length") {
  Config config;
  config.audio.ring_ms = 1'200;
  config.audio.chunk_ms = 40;
  CHECK(ring_slots(config) == 30);
}

}  // namespace auralis::ring_shape_test
