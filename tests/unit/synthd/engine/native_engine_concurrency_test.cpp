// SPDX-License-Identifier: MIT
#include "synthd/engine/native_engine.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace auralis::native_engine_concurrency_test {
namespace {

constexpr std::size_t kStations = 9;
constexpr std::uint32_t kFrames = 882;

std::vector<StationChunk> batch_of(const Voice& voice, std::int64_t chunk, std::size_t count) {
  std::vector<StationChunk> batch(count);
  for (std::size_t i = 0; i < count; ++i) {
    batch[i].station = i;
    batch[i].first_frame = chunk * kFrames;
    batch[i].voices = &voice;
    batch[i].voice_count = 1;
    batch[i].gains_start = batch[i].gains_end = {1, 1, 1, 1};
    batch[i].dither_seed = static_cast<std::uint32_t>(i);
  }
  return batch;
}

TEST_CASE("batches of any size, spread over threads, equal those of a single thread") {
  EngineShape shape;
  shape.stations = kStations;
  shape.chunk_frames = kFrames;
  NativeEngine one(shape, 1);
  NativeEngine several(shape, 3);
  Voice voice;
  voice.gate_frames = 44'100;
  voice.phase_increment = 20'000'000;
  voice.gain = 0.2F;
  bool same = true;
  for (std::int64_t chunk = 0; chunk < 60; ++chunk) {
    // From one, which wakes no thread, to all.
    const auto batch = batch_of(voice, chunk, 1 + static_cast<std::size_t>(chunk) % kStations);
    one.render(batch.data(), batch.size());
    several.render(batch.data(), batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      same =
          same && std::equal(one.samples(i), one.samples(i) + std::size_t{2} * kFrames, several.samples(i));
    }
  }
  CHECK(same);
}

}  // namespace
}  // namespace auralis::native_engine_concurrency_test
