// SPDX-License-Identifier: MIT
#include "streamd/delivery/sent_meter.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "tests/unit/support.h"

namespace auralis::sent_meter_concurrency_test {

TEST_CASE("SentMeter: its thread measures each chunk that another one offers, and ends with it") {
  const test::TempDir folder;
  constexpr std::int64_t kChunks = 300;
  std::int64_t taken = 0;
  {
    SentMeter meter(folder.path());
    meter.start();
    std::int64_t offered = 0;
    while (taken < kChunks) {
      // Never more than the queues hold.
      while (offered < kChunks && offered - taken < 50) {
        AudioChunk audio;
        audio.seq = ++offered;
        audio.sample_rate = 44'100;
        audio.channels = 2;
        audio.frames = 882;
        audio.samples =
            Samples::copy_of(std::vector<std::int16_t>(2 * 882, static_cast<std::int16_t>(1'000 + offered)));
        meter.offer({{0, 1}, audio});
      }
      while (const auto one = meter.take()) {
        CHECK(one->seq == ++taken);
        CHECK(one->peak == static_cast<double>(1'000 + taken) / 32'768);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  CHECK(taken == kChunks);
}

}  // namespace auralis::sent_meter_concurrency_test
