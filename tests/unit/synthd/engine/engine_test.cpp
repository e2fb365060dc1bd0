// SPDX-License-Identifier: MIT
// Properties of every engine: voices, gains and samples. Each case runs on every available engine;
// engine_quality_test compares them with the formulas.
#include "synthd/engine/engine.h"

#include "tests/unit/synthd/engine_fixture.h"
#include "tests/unit/synthd/fused_stages.h"
#include "tests/unit/synthd/measure.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace auralis::engine_test {

using namespace test;

namespace {

// Amplitude of the sine of that frequency, from frame `from` on.
double amplitude_at(const Signal& signal, std::int64_t from, double hz) {
  const std::size_t count = 1 << 17;
  const auto bin = static_cast<std::size_t>(std::lround(hz * static_cast<double>(count) / kRate));
  return spectrum(signal, from, count).at(bin);
}

}  // namespace

TEST_CASE("each voice sounds on both sides, without DC offset, and starts and ends without a click") {
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
        // An envelope's first line may start with the tile, before the voice, too quiet to show in 16 bits.
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

TEST_CASE("pads, swells and the reverb differ between the sides, kicks are in the centre") {
  for_each_engine([](const EngineKind& kind) {
    const auto engine = kind.make(float_shape());
    const auto sides = [&](VoiceType type, std::int64_t from, std::int64_t to) {
      return correlation(play(*engine, {voice_of(type, 0, 3 * kRate, 220)}, to / kChunk), from, to);
    };
    CHECK(sides(VoiceType::kPad, 0, 3 * kRate) < 0.95);
    CHECK(sides(VoiceType::kSwell, 0, 3 * kRate) < 0.5);
    CHECK(sides(VoiceType::kKick, 0, kRate) > 0.999);
    // Reverb tail of a lead that has ended.
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
      // The third harmonic also has a part that the saturation makes from the sine.
      CHECK(amplitude_at(near, 2 * kRate, 3 * saw) > 4 * amplitude_at(near, 2 * kRate, 3 * sine));
    }
  });
}

TEST_CASE("the gain of a group ramps linearly from chunk to chunk, also from and to silence") {
  for_each_engine([](const EngineKind& kind) {
    const auto engine = kind.make(float_shape());
    for (const VoiceType type : kTypes) {
      CAPTURE(static_cast<int>(type));
      const auto group = static_cast<std::size_t>(type);
      // Quiet, to avoid saturation. Frame 0 is in the middle of the voice.
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
      // Without reverb from earlier chunks, each frame shows its gain.
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

TEST_CASE("samples are the mix, dithered by at most one LSB, the same each time") {
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
    // Variance of rounding (1/12) and of two uniform noises of one LSB each (1/12 each).
    CHECK(squares / kCount == doctest::Approx(0.25).epsilon(0.02));

    const auto again = kind.make({});
    const StationChunk input = chunk_of(voices, 0);
    again->render(&input, 1);
    CHECK(std::equal(first.begin(), first.end(), again->samples(0)));
  });
}

TEST_CASE("silence is dithered by at most one LSB, and the sides differ") {
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
    // Expected: 0 in 3 of 4 frames, -1 and 1 in one of 8 each.
    CHECK(alike < kChunk * 2 / 3);
  });
}

TEST_CASE("an engine reports its device's time, its memory, and dropped tones") {
  for_each_engine([](const EngineKind& kind) {
    EngineShape shape;
    shape.voices = 3;
    const auto engine = kind.make(shape);
    const std::vector<Voice> voices(5, voice_of(VoiceType::kPad, 0, kRate, 220));
    const StationChunk input = chunk_of(voices, 0);
    const RenderReport report = engine->render(&input, 1);
    CHECK(report.voices_dropped == 7);  // a pad is two tones
    CHECK(report.device_busy_ns > 0);
    CHECK(report.device_busy_ns < kNsPerSecond);
    const std::size_t bytes = engine->device_bytes();
    CHECK(bytes >= kChunk * 4 + std::size_t{4} * kReverbs * dsp_shape(shape).reverb_frames);
    shape.stations = 2;
    CHECK(kind.make(shape)->device_bytes() > bytes * 3 / 2);
  });
}

// AddressSanitizer terminates a process that allocates too much memory instead of throwing.
#ifdef AURALIS_SANITIZED
constexpr bool kMemoryErrorsThrow = false;
#else
constexpr bool kMemoryErrorsThrow = true;
#endif

TEST_CASE("a shape that does not fit in memory is an error" * doctest::skip(!kMemoryErrorsThrow)) {
  for_each_engine([](const EngineKind& kind) {
    EngineShape shape;
    shape.stations = 1'000'000;
    shape.chunk_frames = 100'000'000;
    CHECK_THROWS_AS(kind.make(shape), std::exception);
  });
}

TEST_CASE("a voice sounds the same in the first minute and after a hundred years") {
  // The same position in a tile and in the turns of the reverb; in the middle, the number of the tile exceeds
  // 32 bits.
  constexpr std::int64_t kFar = 2 * kTurnFrames * 206'470'083;
  constexpr std::int64_t kPassed = 530LL << 38;
  static_assert(kFar + 2 * kRate < kPassed && kPassed < kFar + 3 * kRate && kFar % kTileFrames == 0);
  static_assert(kFar / kRate > 100LL * 365 * 24 * 3'600);
  for_each_engine([&](const EngineKind& kind) {
    const auto engine = kind.make(float_shape());
    std::vector<Voice> near = quartet(1'000);
    near.pop_back();  // a swell's noise never repeats
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

}  // namespace auralis::engine_test
