// SPDX-License-Identifier: MIT
// A station's samples depend on its music alone: neither on the length of its chunks, nor on the batch, nor
// on where rendering started. Each case runs on every available engine.
#include "synthd/engine/engine.h"

#include "synthd/engine/voice_pack.h"
#include "synthd/station.h"
#include "tests/unit/synthd/engine_fixture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <utility>

namespace auralis::engine_stations_test {

using namespace test;

TEST_CASE("a minute of a station has the same samples with chunks of any length") {
  // Compare floats, which show what 16 bits hide, with bars that start with a chunk and anywhere; and 16 bits
  // for the dither.
  const auto same = [](const char* preset, bool float_mix, std::uint32_t sample_rate) {
    CAPTURE(std::string(preset));
    for_each_engine([&](const EngineKind& kind) {
      const auto minute = [&](std::uint32_t chunk_frames) {
        EngineShape shape;
        shape.sample_rate = sample_rate;
        shape.chunk_frames = chunk_frames;
        shape.float_mix = float_mix;
        Recorder recorder(1, find_preset(preset)->parameters, shape);
        recorder.record(kind, kMinuteFrames);
        return recorder.bytes();
      };
      const auto whole = minute(kChunk);
      for (const std::uint32_t chunk_frames : {882U, 1'000U, 8'820U}) {
        CAPTURE(chunk_frames);
        CHECK(first_difference(minute(chunk_frames), whole) == -1);
      }
    });
  };
  same("focus", true, 44'100);
  same("bright", false, 48'000);
}

TEST_CASE(
    "a station that is warmed up from reverb_start() has the same samples, also at the turns of its "
    "reverbs") {
  // Turns that start with a chunk, with the last frame of one, and anywhere.
  std::vector<std::uint64_t> seeds{kTurnFrames, 1, 0xfedcba9876543};
#ifdef AURALIS_SANITIZED
  seeds.resize(1);  // memory is used alike with each
#endif
  for (const std::uint64_t seed : seeds) {
    CAPTURE(seed);
    for_each_engine([&](const EngineKind& kind) {
      Recorder recorder(seed, kPresets[0].parameters);
      recorder.record(kind, 33 * kRate);
      const std::int64_t turn = 2 * kTurnFrames - recorder.station().dither_seed() % kTurnFrames;
      std::vector<std::int64_t> places{1, 40, 120, 250};
      for (const std::int64_t frame : {turn, turn + kTailFrames, turn + kTurnFrames}) {
        for (const std::int64_t near : {-1, 0, 1}) places.push_back(frame / kChunk + near);
      }
      const auto engine = kind.make(float_shape());
      for (const std::int64_t place : places) {
        CAPTURE(place);
        Station station = recorder.station();
        for (std::int64_t chunk = station.reverb_chunk(place); chunk < place; ++chunk) {
          const StationChunk input = station.prepare(chunk);
          engine->render(&input, 1);
        }
        std::vector<std::int64_t> wrong;
        for (std::int64_t chunk = place; chunk < place + 20; ++chunk) {
          const StationChunk input = station.prepare(chunk);
          engine->render(&input, 1);
          if (!recorder.is_chunk(chunk, *engine, 0)) wrong.push_back(chunk);
        }
        CHECK(wrong == std::vector<std::int64_t>{});
      }
    });
  }
}

TEST_CASE("a station sounds the same alone and at any index of any batch") {
  for_each_engine([](const EngineKind& kind) {
    constexpr std::size_t kStations = 5;
    constexpr std::size_t kSlots = 7;
    constexpr std::int64_t kSteps = 100;
    std::vector<Recorder> alone;
    std::vector<Station> stations;
    std::array<std::int64_t, kStations> next{};
    for (std::size_t i = 0; i < kStations; ++i) {
      alone.emplace_back(1'000'003 * (i + 1), kPresets.at(i % kPresets.size()).parameters);
      alone[i].record(kind, 25 * kRate);
      const auto place = static_cast<std::int64_t>(20 + 30 * i);
      stations.push_back(alone[i].station());
      next.at(i) = stations[i].reverb_chunk(place);
    }
    EngineShape shape = float_shape();
    shape.stations = kSlots;
    const auto engine = kind.make(shape);
    std::vector<std::pair<std::size_t, std::int64_t>> wrong;
    for (std::int64_t step = 0; step < kSteps; ++step) {
      std::vector<std::size_t> due;
      for (std::size_t i = 0; i < kStations; ++i) {
        // Each station except the first sometimes skips a step.
        if (i == 0 || (static_cast<std::size_t>(step) + i) % (i + 3) != 0) due.push_back(i);
      }
      std::rotate(due.begin(), due.begin() + step % static_cast<std::int64_t>(due.size()), due.end());
      std::vector<StationChunk> batch;
      for (const std::size_t i : due) {
        batch.push_back(stations[i].prepare(next.at(i)));
        batch.back().station = (3 * i + 1) % kSlots;
      }
      engine->render(batch.data(), batch.size());
      for (std::size_t b = 0; b < due.size(); ++b) {
        const std::size_t i = due[b];
        const bool heard = next.at(i) >= static_cast<std::int64_t>(20 + 30 * i);
        if (heard && !alone[i].is_chunk(next.at(i), *engine, b)) wrong.emplace_back(i, next.at(i));
        ++next.at(i);
      }
    }
    CHECK(wrong.empty());
    for (std::size_t i = 0; i < kStations; ++i) {
      CHECK(next.at(i) > static_cast<std::int64_t>(20 + 30 * i));
      CHECK(engine->next_frame((3 * i + 1) % kSlots) == next.at(i) * kChunk);
    }
  });
}

TEST_CASE("a batch of many stations, in any order of indices, equals each of them rendered alone") {
  for_each_engine([](const EngineKind& kind) {
    constexpr std::size_t kStations = 105;  // several slices of an OpenCL engine, the last one partial
    constexpr std::int64_t kSteps = 4;
    EngineShape shape = float_shape();
    const auto lone = kind.make(shape);
    shape.stations = kStations;
    const auto engine = kind.make(shape);
    std::vector<Station> stations;
    for (std::size_t i = 0; i < kStations; ++i) {
      const Preset& preset = kPresets.at(i % kPresets.size());
      stations.emplace_back(i, Timeline{}, begun_with(preset.parameters));
    }
    std::vector<std::vector<float>> together(kStations);
    for (std::int64_t step = 0; step < kSteps; ++step) {
      std::vector<StationChunk> batch;
      for (std::size_t i = 0; i < kStations; ++i) {
        batch.push_back(stations[i].prepare(step));
        batch.back().station = i * 52 % kStations;
      }
      engine->render(batch.data(), batch.size());
      for (std::size_t i = 0; i < kStations; ++i) {
        together[i].insert(together[i].end(), engine->mix(i), engine->mix(i) + 2 * kChunk);
      }
    }
    std::vector<std::size_t> wrong;
    for (std::size_t i = 0; i < kStations; ++i) {
      std::vector<float> alone;
      for (std::int64_t step = 0; step < kSteps; ++step) {
        const StationChunk input = stations[i].prepare(step);
        lone->render(&input, 1);
        alone.insert(alone.end(), lone->mix(0), lone->mix(0) + 2 * kChunk);
      }
      if (alone != together[i]) wrong.push_back(i);
    }
    CHECK(wrong == std::vector<std::size_t>{});
  });
}

TEST_CASE(
    "a chunk that does not continue its station starts with an empty reverb, without affecting other "
    "stations") {
  for_each_engine([](const EngineKind& kind) {
    EngineShape shape = float_shape();
    shape.stations = 2;
    const auto engine = kind.make(shape);
    CHECK(engine->next_frame(0) == -1);
    CHECK(engine->next_frame(1) == -1);
    const std::vector<Voice> voices = quartet(0);
    const auto render = [&](std::int64_t chunk, std::size_t station) {
      StationChunk input = chunk_of(voices, chunk * kChunk);
      input.station = station;
      engine->render(&input, 1);
      return Signal(engine->mix(0), engine->mix(0) + 2 * kChunk);
    };
    const auto fresh = [&](std::int64_t chunk) {
      const auto other = kind.make(float_shape());
      const StationChunk input = chunk_of(voices, chunk * kChunk);
      other->render(&input, 1);
      return Signal(other->mix(0), other->mix(0) + 2 * kChunk);
    };
    for (std::int64_t chunk = 0; chunk < 20; ++chunk) {
      render(chunk, 0);
      render(chunk, 1);
    }
    CHECK(engine->next_frame(0) == 20 * kChunk);
    CHECK(render(25, 0) == fresh(25));  // ahead
    CHECK(engine->next_frame(0) == 26 * kChunk);
    CHECK(engine->next_frame(1) == 20 * kChunk);
    CHECK(render(25, 0) == fresh(25));  // once more
    CHECK(render(10, 0) == fresh(10));  // back
    CHECK(render(11, 0) != fresh(11));  // continues
    CHECK(engine->next_frame(0) == 12 * kChunk);
    engine->forget(0);  // a new station at that index, which happens to continue at the same frame
    CHECK(engine->next_frame(0) == -1);
    CHECK(render(12, 0) == fresh(12));
    const Stereo through = play(*kind.make(float_shape()), voices, 21);
    const Signal other = render(20, 1);
    CHECK(other[2'000] == through.left[20 * kChunk + 1'000]);
    CHECK(other[8'819] == through.right[21 * kChunk - 1]);
  });
}

}  // namespace auralis::engine_stations_test
