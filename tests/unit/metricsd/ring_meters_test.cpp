// SPDX-License-Identifier: MIT
#include "metricsd/ring_meters.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

namespace auralis::ring_meters_test {
namespace {

constexpr Timeline kTimeline{1'000, 44'100, 4'410, 2};
constexpr std::uint32_t kSlots = 20;
constexpr std::int64_t kAhead = 8;  // chunks in the ring ahead of now

struct Fixture {
  test::TempDir dir;
  OwnMetricsMemory own;
  StationRings rings{dir.path(), own};
  RingMeters meters{rings, own};
  std::optional<AudioWriter> synthd;
  std::int64_t now_ns = kTimeline.due_ns(0);

  Fixture() { start_synthd(); }
  void start_synthd() {
    Timeline fresh = kTimeline;
    fresh.epoch_ns = now_ns;
    synthd.emplace(dir.path(), fresh, kSlots, 4);
    synthd->publish(1);
  }
  static StationState state_of(const std::string& name) {
    StationState state = named_state(name);
    state.history = begun_with(kPresets[0].parameters);
    return state;
  }
  // A part of a sine whose chunks end at different phases; `amplitude` in samples.
  void write(std::size_t row, std::int64_t chunk, double amplitude) {
    std::vector<std::int16_t> samples;
    for (std::int64_t frame = kTimeline.first_frame(chunk); frame < kTimeline.first_frame(chunk + 1);
         ++frame) {
      const double sine = std::sin(0.14204 * static_cast<double>(frame));
      samples.insert(samples.end(), 2, static_cast<std::int16_t>(std::lround(amplitude * sine)));
    }
    synthd->write_chunk(row, chunk, samples.data());
  }
  // Lets time pass, chunk by chunk, up to `end`, while synthd writes row 0 ahead of it.
  void play(std::int64_t begin, std::int64_t end, double amplitude = 8'192) {
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      now_ns = kTimeline.due_ns(chunk - kAhead);
      write(0, chunk, amplitude);
      meters.measure(now_ns);
    }
  }
  std::optional<double> value(const std::string& name, const std::string& station = "day",
                              const std::string& cause = {}) const {
    std::vector<MetricSample> samples;
    own.read(samples);
    for (const auto& sample : samples) {
      const auto& labels = sample.spec.labels;
      if (sample.spec.name != "auralis_audio_" + name || labels.at(0).value != station) continue;
      CHECK(labels.at(1).value == "published");
      if (cause.empty() || labels.at(2).value == cause) return sample.value;
    }
    return std::nullopt;
  }
  std::optional<double> silence(const std::string& cause) const {
    return value("silence_seconds_total", "day", cause);
  }
  bool no_fault() const {
    const auto faults = {"silence_seconds_total", "clipped_samples_total", "discontinuities_total"};
    return std::none_of(faults.begin(), faults.end(),
                        [&](const char* name) { return value(name).has_value(); });
  }
};

TEST_CASE_FIXTURE(Fixture, "RingMeters: the level of a station is measured as its chunks are published") {
  meters.measure(now_ns);
  CHECK_FALSE(value("peak"));
  synthd->open(0, state_of("day"));
  play(kAhead, kAhead + 10);
  CHECK(*value("peak") == doctest::Approx(0.25).epsilon(0.001));
  CHECK_FALSE(value("loudness_lufs"));
  play(kAhead + 10, kAhead + 30);
  CHECK(*value("loudness_lufs") == doctest::Approx(-12.04).epsilon(0.01));
  CHECK(no_fault());
}

TEST_CASE_FIXTURE(Fixture, "RingMeters: several chunks between two calls are all measured") {
  synthd->open(0, state_of("day"));
  play(kAhead, kAhead + 5);
  for (std::int64_t chunk = kAhead + 5; chunk < kAhead + 15; ++chunk)
    write(0, chunk, chunk == kAhead + 9 ? 0 : 8'192);
  meters.measure(kTimeline.due_ns(15));
  CHECK(*silence("zero") == doctest::Approx(0.1));
  CHECK(value("discontinuities_total") == 2);  // a click at both ends
}

TEST_CASE_FIXTURE(Fixture, "RingMeters: silence is muted where the parameters in force say so, else zero") {
  StationState state = state_of("day");
  synthd->open(0, state);
  play(kAhead, kAhead + 5);
  MusicParameters off = kPresets[0].parameters;
  off.voices = 0;
  add_change(state.history, kTimeline, {kAhead + 10, off});
  synthd->store_state(0, state);
  play(kAhead + 5, kAhead + 10, 1);
  CHECK(*silence("zero") == doctest::Approx(0.5));
  CHECK_FALSE(silence("muted"));
  play(kAhead + 10, kAhead + 13, 1);
  CHECK(*silence("zero") == doctest::Approx(0.5));
  CHECK(*silence("muted") == doctest::Approx(0.3));
  CHECK_FALSE(silence("underrun"));
}

TEST_CASE_FIXTURE(Fixture, "RingMeters: chunks that it missed are not measured, and are no discontinuity") {
  synthd->open(0, state_of("day"));
  play(kAhead, kAhead + 5);
  INFO("lapped");
  for (std::int64_t chunk = kAhead + 5; chunk < 104; ++chunk) write(0, chunk, 0);
  for (std::int64_t chunk = 104; chunk < 110; ++chunk) write(0, chunk, 4'096);
  meters.measure(kTimeline.due_ns(104));
  CHECK(*value("peak") == doctest::Approx(0.125).epsilon(0.001));
  CHECK(no_fault());
  INFO("synthd skipped some");
  write(0, 115, 8'192);
  meters.measure(kTimeline.due_ns(108));
  CHECK(*value("peak") == doctest::Approx(0.25).epsilon(0.001));
  CHECK(no_fault());
}

TEST_CASE_FIXTURE(Fixture, "RingMeters: the level is absent once the ring ran dry, and counts stay") {
  synthd->open(0, state_of("day"));
  play(kAhead, kAhead + 5);
  play(kAhead + 5, kAhead + 6, 0);
  synthd.reset();
  meters.measure(kTimeline.due_ns(kAhead + 6) - 1);
  CHECK(value("peak"));
  meters.measure(kTimeline.due_ns(kAhead + 6));
  CHECK_FALSE(value("peak"));
  CHECK(silence("zero"));
  INFO("a synthd that takes over goes on; its first chunks follow no others");
  start_synthd();
  play(100, 105, 4'096);
  CHECK(*value("peak") == doctest::Approx(0.125).epsilon(0.001));
  CHECK(value("discontinuities_total") == 1);
}

TEST_CASE_FIXTURE(Fixture, "RingMeters: a synthd that takes over in time is measured across its restart") {
  synthd->open(0, state_of("day"));
  play(kAhead, kAhead + 35);
  synthd.reset();
  start_synthd();
  write(0, kAhead + 36, 8'192);
  play(kAhead + 35, kAhead + 36, 0);  // the first chunk of the restarted synthd is lost: a click at both ends
  CHECK(value("loudness_lufs"));
  CHECK(value("discontinuities_total") == 2);
}

TEST_CASE_FIXTURE(Fixture,
                  "RingMeters: a station that is closed has no level, personal ones are not measured") {
  synthd->open(0, state_of("day"));
  StationState personal = state_of("p0123456789abcdef");
  personal.personal = 1;
  synthd->open(1, personal);
  synthd->open(2, state_of("night"));
  for (std::int64_t chunk = kAhead; chunk < kAhead + 3; ++chunk) {
    write(1, chunk, 8'192);
    write(2, chunk, 16'384);
    play(chunk, chunk + 1);
  }
  CHECK(*value("peak") == doctest::Approx(0.25).epsilon(0.001));
  CHECK(*value("peak", "night") == doctest::Approx(0.5).epsilon(0.001));
  CHECK_FALSE(value("peak", "p0123456789abcdef"));
  CHECK_FALSE(value("peak", "personal"));
  synthd->close(0);
  meters.measure(now_ns);
  CHECK_FALSE(value("peak"));
  CHECK(value("peak", "night"));
}

TEST_CASE_FIXTURE(
    Fixture, "RingMeters: whatever another process writes there, levels stay levels and counts do not fall") {
  synthd->open(0, state_of("day"));
  const auto file = dir.path() / "audio";
  const std::uint64_t words = std::filesystem::file_size(file) / 8;
  std::mt19937_64 random(1);
  double silent = 0;
  for (std::int64_t chunk = kAhead; chunk < kAhead + 400; ++chunk) {
    const std::uint64_t word = chunk % 4 == 0 ? random() % words : random() % 64;
    const std::uint64_t right = test::peek(file, word * 8);
    const std::uint64_t wrong[] = {0, 1, random(), random() % 100'000, ~std::uint64_t{0}};
    test::poke(file, word * 8, wrong[random() % 5]);
    meters.measure(now_ns);
    test::poke(file, word * 8, right);
    play(chunk, chunk + 1, chunk % 50 == 0 ? 0 : 8'192);
    const auto peak = value("peak");
    if (peak) CHECK((*peak >= 0 && *peak <= 1));
    CHECK(value("loudness_lufs").value_or(-20) >= AudioMeter::kLeastLufs);
    CHECK(silence("zero").value_or(silent) >= silent);
    silent = silence("zero").value_or(silent);
  }
  play(kAhead + 400, kAhead + 440);
  CHECK(value("loudness_lufs"));
}

TEST_CASE_FIXTURE(Fixture, "RingMeters: mono audio is not measured") {
  test::TempDir other;
  AudioWriter mono(other.path(), Timeline{1'000, 44'100, 4'410, 1}, kSlots, 1);
  mono.publish(1);
  mono.open(0, state_of("day"));
  const std::vector<std::int16_t> samples(4'410, 1'000);
  mono.write_chunk(0, 5, samples.data());
  StationRings mono_rings(other.path(), own);
  RingMeters reading(mono_rings, own);
  reading.measure(now_ns);
  CHECK_FALSE(value("peak"));
}

}  // namespace
}  // namespace auralis::ring_meters_test
