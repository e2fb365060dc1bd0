// SPDX-License-Identifier: MIT
// Sound quality: the engines match the formulas, and the formulas and the music sound as they should. Each
// preset is rendered once, and its test cases share the measurements.
#include "synthd/engine/engine.h"
#include "synthd/engine/voice_pack.h"
#include "synthd/station.h"
#include "tests/unit/synthd/measure.h"
#include "tests/unit/synthd/reference.h"
#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace auralis::engine_quality_test {

using namespace test;

namespace {

constexpr std::int64_t kChunk = 4'410;
constexpr std::int64_t kRate = 44'100;

// Shorter with sanitizers, which slow down rendering and measuring.
#ifdef AURALIS_SANITIZED
constexpr std::int64_t kSecondsOfLoudness = 60;
constexpr std::int64_t kSecondsCompared = 10;
#else
constexpr std::int64_t kSecondsOfLoudness = 300;
constexpr std::int64_t kSecondsCompared = 60;
#endif
constexpr std::int64_t kSecondsKept = 60;

// Measurements of a preset, rendered by the fastest engine of this processor.
struct Performance {
  Stereo audio;  // its first minute
  Frames notes;  // start frames of its voices
  std::array<double, 2> offset{};
  double lufs = 0;
  double true_peak_db = 0;
  std::size_t dropped = 0;
};

Performance perform(const MusicParameters& parameters) {
  NativeEngine engine(float_shape(), 1);
  Station station(1, Timeline{}, begun_with(parameters));
  LoudnessMeter meter(kRate);
  Performance result;
  for (std::int64_t chunk = 0; chunk < kSecondsOfLoudness * 10; ++chunk) {
    const StationChunk input = station.prepare(chunk);
    result.dropped += engine.render(&input, 1).voices_dropped;
    meter.add(engine.mix(0), kChunk);
    Stereo part;
    part.append(engine.mix(0), kChunk);
    result.offset[0] += mean(part.left, 0, kChunk) / static_cast<double>(kSecondsOfLoudness * 10);
    result.offset[1] += mean(part.right, 0, kChunk) / static_cast<double>(kSecondsOfLoudness * 10);
    if (chunk >= kSecondsKept * 10) continue;
    result.audio.append(engine.mix(0), kChunk);
    for (const Voice* v = input.voices; v != input.voices + input.voice_count; ++v) {
      if (v->start_frame >= input.first_frame && v->start_frame < input.first_frame + kChunk) {
        result.notes.push_back(v->start_frame);
      }
    }
  }
  std::sort(result.notes.begin(), result.notes.end());
  result.notes.erase(std::unique(result.notes.begin(), result.notes.end()), result.notes.end());
  result.lufs = meter.lufs();
  result.true_peak_db = meter.true_peak_db();
  return result;
}

const Performance& performance_of(std::size_t preset) {
  static std::array<std::unique_ptr<Performance>, kPresets.size()> performances;
  auto& performance = performances.at(preset);
  if (!performance) performance = std::make_unique<Performance>(perform(kPresets.at(preset).parameters));
  return *performance;
}

template <typename Case>
void for_each_preset(const Case& test_case) {
  for (std::size_t i = 0; i < kPresets.size(); ++i) {
    CAPTURE(std::string(kPresets.at(i).name));
    test_case(performance_of(i));
  }
}

Stereo play_native(const std::vector<Voice>& voices, std::int64_t chunks) {
  NativeEngine engine(float_shape(), 1);
  return test::play(engine, voices, chunks);
}

constexpr std::int64_t kWindow = 1 << 16;

std::size_t bin_of(double hz) { return static_cast<std::size_t>(std::lround(hz * kWindow / kRate)); }

// Largest amplitude below 16 kHz, except within `near` Hz of a multiple of `fundamental`.
double largest_off_harmonics(const std::vector<double>& amplitudes, double fundamental, double near) {
  double largest = 0;
  for (std::size_t bin = 0; bin < bin_of(16'000); ++bin) {
    const double hz = static_cast<double>(bin) * kRate / kWindow;
    if (hz > fundamental / 2 && std::abs(std::remainder(hz, fundamental)) < near) continue;
    largest = std::max(largest, amplitudes.at(bin));
  }
  return largest;
}

double power_between(const std::vector<double>& amplitudes, double from_hz, double to_hz) {
  double sum = 0;
  for (std::size_t bin = bin_of(from_hz); bin < bin_of(to_hz); ++bin)
    sum += amplitudes.at(bin) * amplitudes.at(bin);
  return sum;
}

}  // namespace

namespace {

// The preset, every other second without pads, without leads, or at the intensity farthest from its own.
MusicParameters moved(MusicParameters parameters, std::int64_t second) {
  const auto switch_group = [&](VoiceGroup group) {
    parameters.voices = static_cast<std::uint8_t>(parameters.voices ^ 1U << static_cast<unsigned>(group));
  };
  if (second % 6 == 1) switch_group(VoiceGroup::kPads);
  if (second % 6 == 3) switch_group(VoiceGroup::kMelody);
  if (second % 6 == 5) parameters.intensity = parameters.intensity < 0.5F ? 1.0F : 0.0F;
  return parameters;
}

// Compares every engine with the reference; `input` returns a chunk by its number.
template <typename Input>
void compare_with_reference(std::int64_t chunks, const Input& input) {
  const auto kinds = engine_kinds();
  Reference reference(float_shape());
  std::vector<std::unique_ptr<Engine>> engines;
  engines.reserve(kinds.size());
  for (const EngineKind& kind : kinds) engines.push_back(kind.make(float_shape()));
  std::vector<Comparison> comparisons(kinds.size());
  for (std::int64_t number = 0; number < chunks; ++number) {
    const StationChunk chunk = input(number);
    const std::vector<double>& expected = reference.render(chunk);
    for (std::size_t i = 0; i < engines.size(); ++i) {
      engines[i]->render(&chunk, 1);
      comparisons[i].add(expected, engines[i]->mix(0));
    }
  }
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    CAPTURE(kinds[i].name);
    CHECK(comparisons[i].ratio_db() > 100);
  }
}

}  // namespace

TEST_CASE("every engine matches the formulas in double precision, to 100 dB") {
  for (const auto& preset : kPresets) {
    CAPTURE(std::string(preset.name));
    Station station(1, Timeline{}, begun_with(preset.parameters));
    compare_with_reference(kSecondsCompared * 10, [&](std::int64_t chunk) {
      // Compare changing gains, too.
      if (chunk % 10 == 0) station.change(moved(preset.parameters, chunk / 10), chunk);
      return station.prepare(chunk);
    });
  }
}

TEST_CASE("as many pads as a station can hold match the formulas, however many edges their saws have") {
  std::vector<Voice> voices;
  for (int i = 0; i < 64; ++i) {
    Voice pad = voice_of(VoiceType::kPad, std::int64_t{i} * 500, 30 * kRate, 35 * std::exp2(i / 12.0));
    pad.gain = 0.005F;
    pad.pan = static_cast<float>(i % 5) / 2 - 1;
    pad.seed = static_cast<std::uint32_t>(i);
    voices.push_back(pad);
  }
  compare_with_reference(20, [&](std::int64_t chunk) { return chunk_of(voices, chunk * kChunk); });
}

TEST_CASE("each preset has the loudness of music, no clipping, no DC offset, and no dropped voice") {
  for_each_preset([](const Performance& performance) {
    CHECK(performance.lufs > -20);
    CHECK(performance.lufs < -14);
    CHECK(performance.true_peak_db < -1);
    for (const double offset : performance.offset) CHECK(std::abs(offset) < 1e-4);
    CHECK(performance.dropped == 0);
  });
}

TEST_CASE("at chunk borders and note starts the signal is as smooth as elsewhere") {
  for_each_preset([](const Performance& performance) {
    const Stereo& audio = performance.audio;
    Frames borders;
    for (std::int64_t frame = kChunk; frame < audio.frames(); frame += kChunk) borders.push_back(frame);
    REQUIRE(performance.notes.size() > 10);
    for (const Signal* side : {&audio.left, &audio.right}) {
      const BendsAt at_borders = bends_at(*side, borders, 1, 1);
      CHECK(at_borders.there.rms < 1.3 * at_borders.elsewhere.rms);
      CHECK(at_borders.there.largest < at_borders.elsewhere.largest);
      // A voice may start with the tile after its first frame.
      const BendsAt at_notes = bends_at(*side, performance.notes, 2, 2 + kTileFrames);
      CHECK(at_notes.there.rms < 1.3 * at_notes.elsewhere.rms);
      CHECK(at_notes.there.largest < at_notes.elsewhere.largest);
    }
  });
}

TEST_CASE("switching a group makes no click") {
  for (const auto& preset : kPresets) {
    CAPTURE(std::string(preset.name));
    NativeEngine engine(float_shape(), 1);
    Station station(1, Timeline{}, begun_with(preset.parameters));
    Stereo audio;
    Frames ends;  // of the ramps
    MusicParameters parameters = preset.parameters;
    for (std::int64_t chunk = 0; chunk < 200; ++chunk) {
      if (chunk % 5 == 0 && chunk > 50) {
        parameters.voices = static_cast<std::uint8_t>(parameters.voices ^ 1U);
        station.change(parameters, chunk);
        ends.push_back(chunk * kChunk);
        ends.push_back((chunk + 1) * kChunk);
      }
      const StationChunk input = station.prepare(chunk);
      play_on(engine, input, audio);
    }
    for (const Signal* side : {&audio.left, &audio.right}) {
      const BendsAt at_ends = bends_at(*side, ends, 1, 1);
      CHECK(at_ends.there.rms < 1.5 * at_ends.elsewhere.rms);
      CHECK(at_ends.there.largest < at_ends.elsewhere.largest);
    }
  }
}

TEST_CASE("aliasing of a pad of up to 2 kHz, below 16 kHz, is 80 dB under its saw's fundamental") {
  // Aliased harmonics lie midway between others; artefacts of rows of frames would be off the harmonics, too.
  for (const double turns : {101.5, 53.5, 21.5}) {
    const double hz = kRate / turns;
    CAPTURE(hz);
    for (const EngineKind& kind : engine_kinds()) {
      CAPTURE(kind.name);
      const auto engine = kind.make(float_shape());
      Voice pad = voice_of(VoiceType::kPad, 0, 10 * kRate, hz);
      pad.gain = 0.02F;  // nothing is saturated
      const Stereo audio = play(*engine, {pad}, 90);
      const auto amplitudes = spectrum(audio.left, 7 * kRate, kWindow);
      // The left side has the tone that is 4 cents lower, with its saw 5 cents above that.
      const double saw = amplitudes.at(bin_of(hz * std::exp2(1.0 / 1'200)));
      CHECK(decibels(saw) > -60);
      CHECK(decibels(largest_off_harmonics(amplitudes, hz, 150) / saw) < -80);
    }
  }
}

TEST_CASE("aliasing of a lead of 1.6 kHz is 80 dB under its fundamental") {
  constexpr double kHz = kRate / 27.5;
  for (const EngineKind& kind : engine_kinds()) {
    CAPTURE(kind.name);
    const auto engine = kind.make(float_shape());
    Voice lead = voice_of(VoiceType::kLead, 0, 10 * kRate, kHz);
    lead.gain = 0.01F;
    const Stereo audio = play(*engine, {lead}, 30);
    const auto amplitudes = spectrum(audio.left, kRate / 2, kWindow);
    // The vibrato spreads the fundamental over several bins.
    const double fundamental = std::sqrt(power_between(amplitudes, kHz - 50, kHz + 50));
    CHECK(decibels(fundamental) > -60);
    CHECK(decibels(largest_off_harmonics(amplitudes, kHz, 200) / fundamental) < -80);
  }
}

TEST_CASE("a swell is a band of noise: its power above 3 kHz is 60 dB below that from 100 Hz to 1.2 kHz") {
  for (const double hz : {260.0, 500.0}) {
    CAPTURE(hz);
    const Stereo audio = play_native({voice_of(VoiceType::kSwell, 0, 8 * kRate, hz)}, 80);
    double band = 0;
    double above = 0;
    double all = 0;
    double strongest = 0;
    for (std::int64_t from = 0; from + kWindow <= audio.frames(); from += kWindow / 2) {
      const auto amplitudes = spectrum(audio.left, from, kWindow);
      band += power_between(amplitudes, 100, 1'200);
      above += power_between(amplitudes, 3'000, kRate / 2.0);
      all += power_between(amplitudes, 0, kRate / 2.0);
      strongest = std::max(strongest, *std::max_element(amplitudes.begin(), amplitudes.end()));
    }
    CHECK(band > 0.95 * all);
    CHECK(above < 1e-6 * band);
    // A tone would have all power in one bin.
    CHECK(strongest * strongest < 0.1 * band);
  }
}

TEST_CASE(
    "the reverb decays by 60 dB in 2 to 3.5 s, also across a turn, differs between the sides, and ends") {
  for (const std::int64_t start : {std::int64_t{0}, 5 * kRate, 6 * kRate}) {
    CAPTURE(start);
    std::vector<Voice> voices;
    for (const double hz : {220.0, 277.0, 330.0, 415.0, 660.0}) {
      voices.push_back(voice_of(VoiceType::kLead, start, 2 * kRate, hz));
      voices.back().seed = static_cast<std::uint32_t>(hz);
    }
    const std::int64_t end = start + voice_frames(voices.front(), kRate);
    const std::int64_t silence = end + kRate * (kReverbFeedMs + kReverbTailMs) / 1'000;
    const Stereo audio = play_native(voices, silence / kChunk + 10);
    for (const Signal* side : {&audio.left, &audio.right}) {
      const auto level = [&](std::int64_t frame) { return rms(*side, frame, frame + kRate / 10); };
      CHECK(decibels(level(end)) > -60);
      CHECK(level(end + 2 * kRate) > 1e-3 * level(end));
      CHECK(level(end + kRate * 7 / 2) < 1e-3 * level(end));
      CHECK(peak(*side, silence, audio.frames()) == 0);
    }
    CHECK(std::abs(correlation(audio, end, end + kRate)) < 0.5);
  }
}

}  // namespace auralis::engine_quality_test
