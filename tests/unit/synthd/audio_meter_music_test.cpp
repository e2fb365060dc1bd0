// SPDX-License-Identifier: MIT
// The meter on the music that it is made for: no false alarm, and the faults that listeners would hear.
#include "common/metrics/audio_meter.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "synthd/engine/native_engine.h"
#include "synthd/station.h"

namespace auralis::audio_meter_music_test {
namespace {

// Shorter with sanitizers, which slow down rendering.
#ifdef AURALIS_SANITIZED
constexpr std::int64_t kChunks = 600;
#else
constexpr std::int64_t kChunks = 6'000;
#endif
constexpr std::size_t kSamples = 8'820;

using Chunk = std::vector<std::int16_t>;

// A station's music, chunk by chunk. Halfway all voices are on at full intensity, then some are switched off.
class Performance {
 public:
  explicit Performance(const MusicParameters& parameters)
      : parameters_(parameters), station_(1, Timeline{}, begun_with(parameters)) {}

  Chunk next() {
    if (chunk_ == kChunks / 2) change(0b1111);
    if (chunk_ == kChunks * 3 / 4) change(0b0101);
    if (chunk_ == kChunks * 7 / 8) change(0b1111);
    const StationChunk input = station_.prepare(chunk_++);
    engine_.render(&input, 1);
    return {engine_.samples(0), engine_.samples(0) + kSamples};
  }

 private:
  void change(std::uint8_t voices) {
    parameters_.voices = voices;
    parameters_.intensity = 1;
    station_.change(parameters_, chunk_);
  }

  MusicParameters parameters_;
  NativeEngine engine_{EngineShape{}, 1};
  Station station_;
  std::int64_t chunk_ = 0;
};

}  // namespace

TEST_CASE("AudioMeter: ten minutes of each preset have no fault, and their loudness is music's") {
  for (const Preset& preset : kPresets) {
    CAPTURE(preset.name);
    Performance performance(preset.parameters);
    AudioMeter meter(44'100, 4'410);
    for (std::int64_t chunk = 0; chunk < kChunks; ++chunk) {
      const ChunkFindings findings = meter.add(performance.next().data());
      CAPTURE(chunk);
      REQUIRE_FALSE(findings.discontinuous);
      REQUIRE(findings.clipped_samples == 0);
      // The first notes fade in.
      if (chunk < 30) continue;
      REQUIRE_FALSE(findings.silent);
      REQUIRE(*meter.loudness_lufs() > -40);
      REQUIRE(*meter.loudness_lufs() < -10);
    }
  }
}

TEST_CASE("AudioMeter: of the clicks where a chunk of music is missing, nearly all are found") {
  const auto clicks = [](const Chunk& before, const Chunk& after) {
    AudioMeter meter(44'100, 4'410);
    meter.add(before.data());
    return meter.add(after.data()).discontinuous;
  };
  for (const Preset& preset : kPresets) {
    CAPTURE(preset.name);
    Performance performance(preset.parameters);
    const Chunk zeros(kSamples);
    int dropped = 0;
    int replaced = 0;
    int all = 0;
    for (std::int64_t chunk = 0; chunk + 3 < kChunks / 3; chunk += 3) {
      const Chunk first = performance.next();
      const Chunk second = performance.next();
      REQUIRE_FALSE(clicks(first, second));
      dropped += clicks(first, performance.next()) ? 1 : 0;
      replaced += clicks(second, zeros) ? 1 : 0;
      ++all;
    }
    CHECK(dropped >= 0.95 * all);
    CHECK(replaced >= 0.95 * all);
  }
}

}  // namespace auralis::audio_meter_music_test
