// SPDX-License-Identifier: MIT
// Shared by the tests of engines: music to render, and a loop over every engine.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "synthd/engine/voice_pack.h"
#include "synthd/station.h"
#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

namespace auralis::test {

inline constexpr std::int64_t kChunk = 4'410;
inline constexpr std::int64_t kRate = 44'100;
inline constexpr std::int64_t kTurnFrames = kRate * kReverbFeedMs / 1'000;
inline constexpr std::int64_t kTailFrames = kRate * kReverbTailMs / 1'000;
// Shorter with sanitizers, which slow down rendering; still includes two turns of the reverb.
#ifdef AURALIS_SANITIZED
inline constexpr std::int64_t kMinuteFrames = 20 * kRate;
#else
inline constexpr std::int64_t kMinuteFrames = 60 * kRate;
#endif
inline constexpr std::array<VoiceType, kVoiceTypes> kTypes{VoiceType::kPad, VoiceType::kLead,
                                                           VoiceType::kKick, VoiceType::kSwell};

template <typename Case>
void for_each_engine(const Case& test_case) {
  for (const EngineKind& kind : engine_kinds()) {
    CAPTURE(kind.name);
    test_case(kind);
  }
}

// Makes one voice of each type.
inline std::vector<Voice> quartet(std::int64_t start) {
  std::vector<Voice> voices{voice_of(VoiceType::kPad, start + 100, 2 * kRate, 220),
                            voice_of(VoiceType::kLead, start + 5'000, kRate, 660),
                            voice_of(VoiceType::kKick, start + 9'000, kRate, 40),
                            voice_of(VoiceType::kSwell, start, 3 * kRate, 300)};
  voices[1].echo_frames = 10'000;
  return voices;
}

// Renders a station's music with an engine of that shape, and keeps the bytes of all chunks.
class Recorder {
 public:
  Recorder(std::uint64_t seed, const MusicParameters& parameters, const EngineShape& shape = float_shape())
      : shape_(shape), station_(seed, timeline_of(shape), begun_with(parameters)) {}

  // The station before any chunk is prepared.
  const Station& station() const { return station_; }

  void record(const EngineKind& kind, std::int64_t frames) {
    const auto engine = kind.make(shape_);
    Station station = station_;
    for (std::int64_t chunk = 0; chunk < frames / shape_.chunk_frames; ++chunk) {
      const StationChunk input = station.prepare(chunk);
      engine->render(&input, 1);
      bytes_.insert(bytes_.end(), data(*engine, 0), data(*engine, 0) + chunk_bytes());
    }
  }

  const std::vector<char>& bytes() const { return bytes_; }
  bool is_chunk(std::int64_t chunk, const Engine& engine, std::size_t index) const {
    return std::memcmp(&bytes_.at(static_cast<std::size_t>(chunk) * chunk_bytes()), data(engine, index),
                       chunk_bytes()) == 0;
  }

 private:
  static Timeline timeline_of(const EngineShape& shape) {
    return {0, shape.sample_rate, shape.chunk_frames, 2};
  }
  std::size_t chunk_bytes() const {
    return std::size_t{2} * shape_.chunk_frames * (shape_.float_mix ? sizeof(float) : sizeof(std::int16_t));
  }
  const char* data(const Engine& engine, std::size_t index) const {
    if (shape_.float_mix) return reinterpret_cast<const char*>(engine.mix(index));
    return reinterpret_cast<const char*>(engine.samples(index));
  }

  EngineShape shape_;
  Station station_;
  std::vector<char> bytes_;
};

// Returns the first byte that differs in the common length; -1: none.
inline std::int64_t first_difference(const std::vector<char>& a, const std::vector<char>& b) {
  const std::size_t size = std::min(a.size(), b.size());
  if (std::memcmp(a.data(), b.data(), size) == 0) return -1;
  return std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(size), b.begin()).first - a.begin();
}

}  // namespace auralis::test
