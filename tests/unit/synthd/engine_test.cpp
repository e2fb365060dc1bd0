// SPDX-License-Identifier: MIT
// What holds of every engine: the voices, the reverb, and that a sample depends on nothing but the music.
// Each case runs over all engines there are; how near they come to the formulas is engine_quality_test's.
#include "synthd/engine/engine.h"

#include "synthd/engine/failover_engine.h"
#include "synthd/engine/voice_pack.h"
#include "synthd/station.h"
#include "tests/unit/synthd/fused_stages.h"
#include "tests/unit/synthd/measure.h"
#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

using namespace auralis;
using namespace auralis::test;

namespace {

constexpr std::int64_t kChunk = 4'410;
constexpr std::int64_t kRate = 44'100;
constexpr std::int64_t kTurnFrames = kRate * kReverbFeedMs / 1'000;
constexpr std::int64_t kTailFrames = kRate * kReverbTailMs / 1'000;
// The sanitizers slow down all that is rendered; two turns of the reverb are in it still.
#ifdef __SANITIZE_ADDRESS__
constexpr std::int64_t kMinuteFrames = 20 * kRate;
#else
constexpr std::int64_t kMinuteFrames = 60 * kRate;
#endif
constexpr std::array<VoiceType, kVoiceTypes> kTypes{VoiceType::kPad, VoiceType::kLead, VoiceType::kKick,
                                                    VoiceType::kSwell};

template <typename Case>
void for_each_engine(const Case& test_case) {
  for (const EngineKind& kind : engine_kinds()) {
    CAPTURE(kind.name);
    test_case(kind);
  }
}

// One of each type.
std::vector<Voice> quartet(std::int64_t start) {
  std::vector<Voice> voices{voice_of(VoiceType::kPad, start + 100, 2 * kRate, 220),
                            voice_of(VoiceType::kLead, start + 5'000, kRate, 660),
                            voice_of(VoiceType::kKick, start + 9'000, kRate, 40),
                            voice_of(VoiceType::kSwell, start, 3 * kRate, 300)};
  voices[1].echo_frames = 10'000;
  return voices;
}

// Of the sine of that frequency from `from` on.
double amplitude_at(const Signal& signal, std::int64_t from, double hz) {
  const std::size_t count = 1 << 17;
  const auto bin = static_cast<std::size_t>(std::lround(hz * static_cast<double>(count) / kRate));
  return spectrum(signal, from, count).at(bin);
}

// A station's music as an engine of that shape renders it: its chunks, one after the other, byte for byte.
class Recorder {
 public:
  Recorder(std::uint64_t seed, const MusicParameters& parameters, const EngineShape& shape = float_shape())
      : shape_(shape), station_(seed, timeline_of(shape), begun_with(parameters)) {}

  // One that has played nothing yet.
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

// The finaliser of MurmurHash3.
std::uint32_t murmur(std::uint32_t x) {
  x = (x ^ x >> 16) * 0x85ebca6bU;
  x = (x ^ x >> 13) * 0xc2b2ae35U;
  return x ^ x >> 16;
}

// A pad's tone until it is let go, by its definition: a frame of a chunk that begins with a tile. Its level
// is a straight line over a tile.
double pad_tone(const EngineShape& shape, const PackedVoice& tone, std::int64_t frame) {
  constexpr double kTurn = 4'294'967'296.0;
  const auto wave = [](std::uint32_t phase) { return std::sin(2 * M_PI * phase / kTurn); };
  const auto level = [&](std::int64_t at) {
    const std::uint32_t tremolo = increment_of(0.5, shape.sample_rate) * static_cast<std::uint32_t>(at);
    const double seconds = static_cast<double>(at) / shape.sample_rate;
    const double risen = std::min(seconds / 2.5, 1.0);
    const double attack = risen * risen * (3 - 2 * risen);
    const double decay = 1 - 0.25 * std::clamp((seconds - 2.5) / 3, 0.0, 1.0);
    return attack * decay * (0.9 + 0.1 * wave(tremolo + murmur(tone.seed)));
  };
  const std::int64_t n = frame - tone.start;
  const std::int64_t tile = n - frame % kTileFrames;
  const double along = static_cast<double>(frame % kTileFrames) / kTileFrames;
  const auto un = static_cast<std::uint32_t>(n);
  const double t = static_cast<std::int32_t>(tone.second * un + murmur(tone.seed + 1));
  const double x = std::clamp(t * double{tone.shape}, -1.0, 1.0);
  // 35/64 of the integral of (1 - x^2)^3 from 0 on: half of the saw's fall at x = 1.
  const double fall = 0.546875 * (x - std::pow(x, 3) + 0.6 * std::pow(x, 5) - std::pow(x, 7) / 7);
  return (level(tile) + along * (level(tile + kTileFrames) - level(tile))) *
         (wave(tone.increment * un + tone.seed) + 0.5 * t / kTurn - fall);
}

// The first byte that differs in what both have; -1: none.
std::int64_t first_difference(const std::vector<char>& a, const std::vector<char>& b) {
  const std::size_t size = std::min(a.size(), b.size());
  if (std::memcmp(a.data(), b.data(), size) == 0) return -1;
  return std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(size), b.begin()).first - a.begin();
}

}  // namespace

TEST_CASE("each voice sounds on both sides, without offset, and begins and ends without a click") {
  for_each_engine([](const EngineKind& kind) {
    const auto engine = kind.make(float_shape());
    for (const VoiceType type : kTypes) {
      CAPTURE(static_cast<int>(type));
      const bool reverberates = type != VoiceType::kKick;
      const Voice v = voice_of(type, 1'000, 3 * kRate, type == VoiceType::kKick ? 40 : 220);
      const std::int64_t end = v.start_frame + voice_frames(v, kRate);
      const std::int64_t silence = end + (reverberates ? kTurnFrames + kTailFrames : 64);
      const Stereo audio = play(*engine, {v}, silence / kChunk + 2);
      for (const Signal* side : {&audio.left, &audio.right}) {
        CHECK(rms(*side, 1'000, end) > 0.01);
        CHECK(std::abs(mean(*side, 1'000, end)) < 0.01 * peak(*side, 0, end));
        // An envelope's first line may begin with the tile, before the voice, where 16 bits do not show it.
        CHECK(peak(*side, 0, v.start_frame - kTileFrames) == 0);
        CHECK(peak(*side, 0, v.start_frame) < 1e-6);
        CHECK(peak(*side, v.start_frame, v.start_frame + 16) <= 0.01 * peak(*side, 0, end));
        if (!reverberates) CHECK(peak(*side, end - 16, end) <= 0.01 * peak(*side, 0, end));
        CHECK(bends(*side, end - 200, end + 200).largest <=
              1.5 * bends(*side, end - 4'000, end - 200).largest);
        CHECK(peak(*side, silence, audio.frames()) == 0);
      }
    }
  });
}

TEST_CASE("pads, swells and the reverb differ between the sides, kicks stand in the middle") {
  for_each_engine([](const EngineKind& kind) {
    const auto engine = kind.make(float_shape());
    const auto sides = [&](VoiceType type, std::int64_t from, std::int64_t to) {
      return correlation(play(*engine, {voice_of(type, 0, 3 * kRate, 220)}, to / kChunk), from, to);
    };
    CHECK(sides(VoiceType::kPad, 0, 3 * kRate) < 0.95);
    CHECK(sides(VoiceType::kSwell, 0, 3 * kRate) < 0.5);
    CHECK(sides(VoiceType::kKick, 0, kRate) > 0.999);
    // The tail of a lead that has ended.
    CHECK(sides(VoiceType::kLead, 4 * kRate, 5 * kRate) < 0.5);
  });
}

TEST_CASE(
    "a lead of 440 Hz is 440 Hz; a pad of 440 Hz is two tones around it, the saw of each 5 cents above") {
  for_each_engine([](const EngineKind& kind) {
    const auto engine = kind.make(float_shape());
    const Stereo lead = play(*engine, {voice_of(VoiceType::kLead, 0, 6 * kRate, 440)}, 60);
    CHECK(amplitude_at(lead.left, 2 * kRate, 440) > 30 * amplitude_at(lead.left, 2 * kRate, 447));
    const Stereo pad = play(*engine, {voice_of(VoiceType::kPad, 0, 8 * kRate, 440)}, 80);
    const auto cents = [](double distance) { return std::exp2(distance / 1'200); };
    for (const double detune : {-4.0, 4.0}) {
      const Signal& near = detune < 0 ? pad.left : pad.right;
      const double sine = 440 * cents(detune);
      const double saw = sine * cents(5);
      CHECK(amplitude_at(near, 2 * kRate, sine) > 4 * amplitude_at(near, 2 * kRate, saw));
      // What the third harmonic has beside the saw is what the saturation makes of the sine.
      CHECK(amplitude_at(near, 2 * kRate, 3 * saw) > 4 * amplitude_at(near, 2 * kRate, 3 * sine));
    }
  });
}

TEST_CASE("the gain of a group goes from chunk to chunk in a straight line, from silence and to it") {
  for_each_engine([](const EngineKind& kind) {
    const auto engine = kind.make(float_shape());
    for (const VoiceType type : kTypes) {
      CAPTURE(static_cast<int>(type));
      const auto group = static_cast<std::size_t>(type);
      // Quiet, so that nothing is saturated. Frame 0 is in the middle of it.
      Voice v = voice_of(type, -kRate / 10, 3 * kRate, type == VoiceType::kKick ? 80 : 220);
      v.gain = 0.05F;
      const Stereo steady = play(*engine, {v}, 4);
      Stereo ramped;
      const std::vector<Voice> voices{v};
      const std::array<float, 5> gains{0, 0, 1, 0, 0};
      for (std::size_t chunk = 0; chunk < 4; ++chunk) {
        StationChunk input = chunk_of(voices, static_cast<std::int64_t>(chunk) * kChunk);
        input.gains_start[group] = gains.at(chunk);
        input.gains_end[group] = gains.at(chunk + 1);
        play_on(*engine, input, ramped);
      }
      CHECK(peak(ramped.left, 0, kChunk + 1) == 0);
      CHECK(peak(ramped.left, kChunk, 3 * kChunk) > 0);
      CHECK(largest_step(ramped.left, 0, 4 * kChunk) <=
            1.05 * largest_step(steady.left, 0, 4 * kChunk) + peak(steady.left, 0, 4 * kChunk) / kChunk);
      if (type != VoiceType::kKick) continue;
      // Without a reverb that remembers, each frame shows its gain.
      double error = 0;
      for (std::int64_t frame = 0; frame < 4 * kChunk; ++frame) {
        const double along = static_cast<double>(frame % kChunk) / kChunk;
        const auto c = static_cast<std::size_t>(frame / kChunk);
        const auto i = static_cast<std::size_t>(frame);
        const double gain = gains.at(c) + along * (gains.at(c + 1) - gains.at(c));
        error = std::max(error, std::abs(ramped.left[i] - gain * steady.left[i]));
      }
      CHECK(error < 1e-3 * peak(steady.left, 0, 4 * kChunk));
    }
  });
}

TEST_CASE("samples are the mix, dithered by one step at most, alike each time") {
  for_each_engine([](const EngineKind& kind) {
    const auto mixing = kind.make(float_shape());
    const auto sampling = kind.make({});
    const std::vector<Voice> voices = quartet(0);
    double error = 0;
    double sum = 0;
    double squares = 0;
    std::vector<std::int16_t> first;
    constexpr int kChunks = 20;
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      const StationChunk input = chunk_of(voices, chunk * kChunk);
      mixing->render(&input, 1);
      sampling->render(&input, 1);
      for (std::int64_t i = 0; i < 2 * kChunk; ++i) {
        const double off = sampling->samples(0)[i] - 32'766.0 * mixing->mix(0)[i];
        error = std::max(error, std::abs(off));
        sum += off;
        squares += off * off;
      }
      if (chunk == 0) first.assign(sampling->samples(0), sampling->samples(0) + 2 * kChunk);
    }
    constexpr double kCount = 2.0 * kChunk * kChunks;
    CHECK(error <= 1.51);
    CHECK(std::abs(sum / kCount) < 0.005);
    // Of a rounding (1/12) and of two even noises of one step each (1/12 each).
    CHECK(squares / kCount == doctest::Approx(0.25).epsilon(0.02));

    const auto again = kind.make({});
    const StationChunk input = chunk_of(voices, 0);
    again->render(&input, 1);
    CHECK(std::equal(first.begin(), first.end(), again->samples(0)));
  });
}

TEST_CASE("silence is dithered by one step at most, and the sides are not alike") {
  for_each_engine([](const EngineKind& kind) {
    const auto engine = kind.make({});
    const StationChunk silence;
    engine->render(&silence, 1);
    const std::int16_t* samples = engine->samples(0);
    CHECK(*std::max_element(samples, samples + 2 * kChunk) == 1);
    CHECK(*std::min_element(samples, samples + 2 * kChunk) == -1);
    int alike = 0;
    for (std::int64_t frame = 0; frame < kChunk; ++frame) {
      alike += samples[2 * frame] == samples[2 * frame + 1] ? 1 : 0;
    }
    // 0 comes at 3 of 4 frames, each of the others at one of 8.
    CHECK(alike < kChunk * 2 / 3);
  });
}

TEST_CASE("an engine reports its device's time, its memory, and tones that did not fit") {
  for_each_engine([](const EngineKind& kind) {
    EngineShape shape;
    shape.voices = 3;
    const auto engine = kind.make(shape);
    const std::vector<Voice> voices(5, voice_of(VoiceType::kPad, 0, kRate, 220));
    const StationChunk input = chunk_of(voices, 0);
    const RenderReport report = engine->render(&input, 1);
    CHECK(report.voices_dropped == 7);  // a pad is two
    CHECK(report.device_busy_ns > 0);
    CHECK(report.device_busy_ns < kNsPerSecond);
    const std::size_t bytes = engine->device_bytes();
    CHECK(bytes >= kChunk * 4 + std::size_t{4} * kReverbs * dsp_shape(shape).reverb_frames);
    shape.stations = 2;
    CHECK(kind.make(shape)->device_bytes() > bytes * 3 / 2);
  });
}

// AddressSanitizer ends a process that asks for too much memory instead of throwing.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kMemoryErrorsThrow = false;
#else
constexpr bool kMemoryErrorsThrow = true;
#endif

TEST_CASE("a shape that no memory can hold is an error" * doctest::skip(!kMemoryErrorsThrow)) {
  for_each_engine([](const EngineKind& kind) {
    EngineShape shape;
    shape.stations = 1'000'000;
    shape.chunk_frames = 100'000'000;
    CHECK_THROWS_AS(kind.make(shape), std::exception);
  });
}

TEST_CASE("a station's minute is the same samples in chunks of any length") {
  // Floats show what 16 bits hide, where bars begin with chunks and where they begin anywhere; but not the
  // dither.
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
    "a station that starts where the reverb does has the same samples, also at the turns of its reverbs") {
  // Turns that begin with a chunk, with the last frame of one, and anywhere.
  for (const std::uint64_t seed :
       {std::uint64_t{kTurnFrames}, std::uint64_t{1}, std::uint64_t{0xfedcba9876543}}) {
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

TEST_CASE("a station sounds alike alone and in any place of a batch, whoever else is in it") {
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
        // Each but the first now and then misses a step.
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

TEST_CASE("a batch of many stations, in any order of their indices, is each of them alone") {
  for_each_engine([](const EngineKind& kind) {
    constexpr std::size_t kStations = 105;  // several slices of an OpenCL engine, the last one not whole
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

namespace {

// Of a pad alone, in a chunk that begins with a tile: how far its left side lies from its tones, against the
// largest that they are; before the reverb's shortest line is through.
double pad_error(Engine& engine, const Voice& pad, std::int64_t begin) {
  const EngineShape shape = float_shape();
  const std::vector<Voice> voices{pad};
  const StationChunk input = chunk_of(voices, begin);
  std::vector<PackedVoice> tones(shape.voices);
  PackedStation station;
  VoicePacker(shape).pack(input, tones.data(), station);
  REQUIRE(station.ends[0] == 2);
  engine.forget(0);
  engine.render(&input, 1);
  double error = 0;
  double largest = 0;
  for (std::int64_t frame = 0; frame < 1'000; ++frame) {
    double left = 0;
    for (std::size_t i = 0; i < 2; ++i) left += double{tones[i].left} * pad_tone(shape, tones[i], frame);
    largest = std::max(largest, std::abs(left));
    error = std::max(error, std::abs(engine.mix(0)[2 * frame] / 0.7 - left));
  }
  return error / largest;
}

Voice quiet_pad(double hz) {
  Voice pad = voice_of(VoiceType::kPad, 0, 20 * kRate, hz);
  pad.gain = 0.001F;  // nothing is saturated
  return pad;
}

// What murmur makes x of.
std::uint32_t murmured_to(std::uint32_t x) {
  x = (x ^ x >> 16) * 0x7ed1b41dU;
  x = (x ^ x >> 13 ^ x >> 26) * 0xa5cb9243U;
  return x ^ x >> 16;
}

}  // namespace

TEST_CASE("a pad is a sine and a quarter of a saw, frame by frame, at any pitch, held or rising") {
  for_each_engine([&](const EngineKind& kind) {
    const auto engine = kind.make(float_shape());
    // Half through the attack, where it is steepest; and when all of the envelope but the end is past.
    for (const std::int64_t begin : {kRate * 5 / 4, 6 * kRate}) {
      CAPTURE(begin);
      // To both sides of what the polynomials of a tile and of half a tile can do (voices.h), and of what
      // edges are found at once (pad_saws.h).
      for (const double hz : {31.0,  55.0,  110.0, 129.2, 196.3, 277.1, 340.0,   343.9,   345.5,   439.7,
                              523.2, 613.0, 645.0, 648.0, 687.0, 691.0, 1'120.0, 1'916.0, 2'500.0, 4'999.0}) {
        CAPTURE(hz);
        CHECK(pad_error(*engine, quiet_pad(hz), begin / kTileFrames * kTileFrames) < 1e-5);
      }
    }
  });
}

TEST_CASE("a saw falls where its phase says, however near to where half rows and ranges of frames part") {
  constexpr std::int64_t kBegin = 4'000 * kTileFrames;
  for_each_engine([&](const EngineKind& kind) {
    const auto engine = kind.make(float_shape());
    for (const double hz : {110.0, 220.0, 440.0, 687.2}) {
      Voice pad = quiet_pad(hz);
      const std::vector<Voice> voices{pad};
      std::vector<PackedVoice> tones(float_shape().voices);
      PackedStation station;
      VoicePacker(float_shape()).pack(chunk_of(voices, kBegin), tones.data(), station);
      const std::uint32_t increment = tones[0].second;
      for (const std::uint32_t frame : {28U, 60U, 92U, 188U, 540U}) {
        for (const std::uint32_t frames : {0U, 8U, 16U, 24U, 28U, 32U}) {
          for (const std::int32_t beside : {-63, -17, -4, -1, 0, 1}) {
            // In that frame the saw has turned so much since its edge.
            const std::uint32_t turned = increment * frames + static_cast<std::uint32_t>(beside);
            const std::uint32_t n = frame - static_cast<std::uint32_t>(tones[0].start);
            pad.seed = murmured_to(turned - increment * n) - 1;
            CAPTURE(hz);
            CAPTURE(frame);
            CAPTURE(frames);
            CAPTURE(beside);
            CHECK(pad_error(*engine, pad, kBegin) < 1e-5);
          }
        }
      }
    }
  });
}

TEST_CASE("pads are the same bits however a chunk is cut, whatever the number and place of their edges") {
  std::vector<Voice> voices;
  for (int i = 0; i < 64; ++i) {
    Voice pad = voice_of(VoiceType::kPad, i * 700, 3 * kRate, 60 * std::exp2(i / 19.0));
    pad.gain = 0.005F;
    pad.seed = static_cast<std::uint32_t>(i);
    voices.push_back(pad);
  }
  // One begins with a block of the longest chunk, which is none of the others', and its saw falls at once.
  voices.front() = voice_of(VoiceType::kPad, 3 * kBlockFrames, 3 * kRate, 220);
  std::vector<PackedVoice> tones(float_shape().voices);
  PackedStation station;
  const std::vector<Voice> alone{voices.front()};
  VoicePacker(float_shape()).pack(chunk_of(alone, 0), tones.data(), station);
  voices.front().seed = murmured_to(tones[0].second / 2 - 2 * tones[0].second) - 1;
  for_each_engine([&](const EngineKind& kind) {
    const auto in_pieces = [&](std::uint32_t chunk_frames) {
      EngineShape shape = float_shape();
      shape.chunk_frames = chunk_frames;
      const auto engine = kind.make(shape);
      std::vector<float> mix;
      for (std::int64_t frame = 0; frame < 8'820 * 8; frame += chunk_frames) {
        const StationChunk input = chunk_of(voices, frame);
        engine->render(&input, 1);
        mix.insert(mix.end(), engine->mix(0), engine->mix(0) + std::size_t{chunk_frames} * 2);
      }
      return mix;
    };
    const std::vector<float> whole = in_pieces(8'820);
    CHECK(in_pieces(4'410) == whole);
    CHECK(in_pieces(882) == whole);
  });
}

TEST_CASE("a voice sounds alike in the first minute and after a hundred years") {
  // The same place in tiles and in the turns of the reverb; in the middle the number of the tile passes 32
  // bits.
  constexpr std::int64_t kFar = 2 * kTurnFrames * 206'470'083;
  constexpr std::int64_t kPassed = 530LL << 38;
  static_assert(kFar + 2 * kRate < kPassed && kPassed < kFar + 3 * kRate && kFar % kTileFrames == 0);
  static_assert(kFar / kRate > 100LL * 365 * 24 * 3'600);
  for_each_engine([&](const EngineKind& kind) {
    const auto engine = kind.make(float_shape());
    std::vector<Voice> near = quartet(1'000);
    near.pop_back();  // a swell's noise never comes again
    std::vector<Voice> far = near;
    for (Voice& v : far) v.start_frame += kFar;
    const Stereo a = play(*engine, near, 50);
    const Stereo b = play(*engine, far, 50, kFar);
    CHECK(peak(a.left, 0, a.frames()) > 0.1);
    CHECK(a.left == b.left);
    CHECK(a.right == b.right);
  });
}

TEST_CASE(
    "the instruction sets with fused multiply-add give the same samples, bit for bit, however wide they "
    "are") {
  auto sets = native_stages();
  sets.pop_back();  // the baseline
  if (!sets.empty()) sets.push_back(fused_stages());
  for (const auto& preset : kPresets) {
    CAPTURE(std::string(preset.name));
    std::vector<char> first;
    for (const auto& stages : sets) {
      CAPTURE(stages.name);
      Recorder recorder(1, preset.parameters);
      recorder.record(native_kind(stages), kMinuteFrames);
      if (first.empty()) first = recorder.bytes();
      CHECK(first_difference(recorder.bytes(), first) == -1);
    }
  }
}

TEST_CASE(
    "a chunk that does not continue its station starts with an empty reverb, those of other stations do "
    "not") {
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
    CHECK(render(11, 0) != fresh(11));  // goes on
    CHECK(engine->next_frame(0) == 12 * kChunk);
    engine->forget(0);  // another station's, that happens to go on at the same frame
    CHECK(engine->next_frame(0) == -1);
    CHECK(render(12, 0) == fresh(12));
    const Stereo through = play(*kind.make(float_shape()), voices, 21);
    const Signal other = render(20, 1);
    CHECK(other[2'000] == through.left[20 * kChunk + 1'000]);
    CHECK(other[8'819] == through.right[21 * kChunk - 1]);
  });
}

namespace {

// Plays as a native engine does, until it is told to fail.
class FailingEngine final : public Engine {
 public:
  explicit FailingEngine(const EngineShape& shape) : engine_(std::make_unique<NativeEngine>(shape, 1)) {}

  RenderReport render(const StationChunk* batch, std::size_t count) override {
    if (fails) throw EngineError("the cable fell out");
    return engine_->render(batch, count);
  }
  const std::int16_t* samples(std::size_t index) const override { return engine_->samples(index); }
  const float* mix(std::size_t index) const override { return engine_->mix(index); }
  std::int64_t next_frame(std::size_t station) const override { return engine_->next_frame(station); }
  void forget(std::size_t station) override { engine_->forget(station); }
  std::size_t device_bytes() const override { return engine_->device_bytes(); }

  bool fails = false;

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace

TEST_CASE("an engine that fails in the middle is replaced once, and the music goes on as if it had not") {
  const EngineShape shape = float_shape();
  auto first = std::make_unique<FailingEngine>(shape);
  auto second = std::make_unique<FailingEngine>(shape);
  FailingEngine& failing = *first;  // gone once it is replaced
  FailingEngine& failing_later = *second;
  FailoverEngine engine(std::move(first), std::move(second));
  const std::vector<Voice> voices = quartet(0);
  NativeEngine through(shape, 1);
  const Stereo expected = play(through, voices, 40);

  Stereo audio = play(engine, voices, 20);
  CHECK(engine.next_frame(0) == 20 * kChunk);
  failing.fails = true;
  const StationChunk next = chunk_of(voices, 20 * kChunk);
  CHECK_THROWS_AS(engine.render(&next, 1), EngineReplaced);
  CHECK(engine.next_frame(0) == -1);
  play(engine, voices, 20);  // what its reverb remembers
  CHECK(engine.next_frame(0) == 20 * kChunk);
  for (std::int64_t chunk = 20; chunk < 40; ++chunk) play_on(engine, chunk_of(voices, chunk * kChunk), audio);
  CHECK(audio.left == expected.left);
  CHECK(audio.right == expected.right);

  failing_later.fails = true;
  bool replaced = false;
  std::string what;
  try {
    engine.render(&next, 1);
  } catch (const EngineReplaced&) {
    replaced = true;
  } catch (const EngineError& error) {
    what = error.what();
  }
  CHECK_FALSE(replaced);
  CHECK(what == "the cable fell out");
}
