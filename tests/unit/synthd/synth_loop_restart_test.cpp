// SPDX-License-Identifier: MIT
// The same music continues after a restart, the loss of a device, and damage to the segment.
#include "synthd/synth_loop.h"

#include "synthd/composer/composer.h"
#include "synthd/engine/failover_engine.h"
#include "synthd/engine/native_engine.h"
#include "synthd/engine/voice_pack.h"
#include "tests/unit/synthd/synth_loop_fixture.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <memory>

namespace auralis::synth_loop_restart_test {

using namespace test;

TEST_CASE("a synthd that is killed and restarted plays the same samples as an uninterrupted one") {
  TempDir folder_a;
  TempDir folder_b;
  ManualClock clock_a;
  ManualClock clock_b;
  Chunks uninterrupted;
  Chunks interrupted;

  ControlWriter control_a(folder_a.path(), clock_a.now);
  ControlWriter control_b(folder_b.path(), clock_b.now);
  MusicParameters other = kPresets[3].parameters;
  other.voices = 0b0111;
  {
    NativeEngine engine({}, 1);
    Life life(folder_a, clock_a, engine, uninterrupted);
    life.play(3 * kNsPerSecond);
    control_a.store(0, request(life, 1, other));
    life.play(17 * kNsPerSecond);
  }
  for (const int seconds : {3, 1, 5, 4, 7}) {
    NativeEngine engine({}, 1);
    Life life(folder_b, clock_b, engine, interrupted);
    life.play(seconds * kNsPerSecond);
    control_b.store(0, request(life, 1, other));
  }
  REQUIRE(interrupted.size() > 190);
  CHECK(interrupted.rbegin()->first + 1 == static_cast<std::int64_t>(interrupted.size()));  // no gap
  for (const auto& chunk : interrupted) {
    CAPTURE(chunk.first);
    if (uninterrupted.count(chunk.first) != 0) CHECK(uninterrupted.at(chunk.first) == chunk.second);
  }
}

TEST_CASE("the loss of a device is counted and inaudible") {
  Chunks whole;
  Chunks chunks;
  for (const bool loses : {false, true}) {
    TempDir folder;
    ManualClock clock;
    constexpr std::int64_t kLostAt = std::int64_t{130} * 4'410;
    auto first = loses ? std::make_unique<LostEngine>(kLostAt) : std::make_unique<LostEngine>(kLostAt * 100);
    FailoverEngine engine(std::move(first), std::make_unique<NativeEngine>(EngineShape{}, 1));
    Life life(folder, clock, engine, loses ? chunks : whole);
    life.play(15 * kNsPerSecond);
    CHECK(shown_metrics(folder).at("auralis_engine_failovers_total").value == (loses ? 1 : 0));
    CHECK(life.metrics.configured[0].skipped.value() == 0);
  }
  CHECK(chunks == whole);
}

TEST_CASE("the loss of a device during the first warm-up is inaudible, too") {
  Chunks whole;
  Chunks chunks;
  for (const bool loses : {false, true}) {
    TempDir folder;
    ManualClock clock;
    Chunks& played = loses ? chunks : whole;
    {
      NativeEngine engine({}, 1);
      Life(folder, clock, engine, played).play(10 * kNsPerSecond);
    }
    FailoverEngine engine(std::make_unique<LostEngine>(loses ? 0 : 1'000'000'000),
                          std::make_unique<NativeEngine>(EngineShape{}, 1));
    Life life(folder, clock, engine, played);
    life.play(3 * kNsPerSecond);
    CHECK(life.metrics.failovers.value() == (loses ? 1 : 0));
  }
  CHECK(chunks.size() > 120);
  CHECK(chunks == whole);
}

TEST_CASE_FIXTURE(Fixture, "a synthd that starts warms up first, and renders no chunk twice after that") {
  {
    Life life(folder, clock, engine, chunks);
    life.play(30 * kNsPerSecond);
  }
  for (std::size_t i = 0; i < engine.rendered.size(); ++i) {
    CHECK(engine.rendered[i] == static_cast<std::int64_t>(i) * 4'410);
  }
  DigestEngine next{4'410};
  Life life(folder, clock, next, chunks);
  const std::int64_t goes_on = (life.newest() + 1) * 4'410;
  life.play(2 * kNsPerSecond);
  const std::int64_t begin = reverb_start(goes_on, 7, 44'100) / 4'410 * 4'410;
  REQUIRE(begin < goes_on);
  for (std::size_t i = 0; i < next.rendered.size(); ++i) {
    CHECK(next.rendered[i] == begin + static_cast<std::int64_t>(i) * 4'410);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "a synthd that dies between writing a state and its chunk renders the same chunk again") {
  Chunks whole;
  {
    TempDir other;
    ManualClock other_clock;
    DigestEngine other_engine{4'410};
    Life life(other, other_clock, other_engine, whole);
    life.play(20 * kNsPerSecond);
  }
  for (const std::int64_t chunk : {30, 39, 40, 41, 80, 120}) {  // bars start in chunks 0, 40, 80, 120
    engine.fail_at = chunk * 4'410;
    Life life(folder, clock, engine, chunks);
    CHECK_THROWS_AS(life.play(20 * kNsPerSecond), EngineError);
  }
  engine.fail_at.reset();
  Life life(folder, clock, engine, chunks);
  life.play(3 * kNsPerSecond);
  REQUIRE(chunks.size() > 140);
  for (const auto& chunk : chunks) {
    CAPTURE(chunk.first);
    CHECK(whole.at(chunk.first) == chunk.second);
  }
}

TEST_CASE("all stations, including personal ones, continue after a kill with the same samples") {
  Chunks whole;
  Chunks parts;
  for (const bool is_killed : {false, true}) {
    TempDir folder;
    ManualClock clock;
    Chunks garden;
    Chunks& personal = is_killed ? parts : whole;
    ControlWriter control(folder.path(), clock.now);
    bool opened = false;
    for (const int seconds : is_killed ? std::vector<int>{3, 4, 2, 11} : std::vector<int>{20}) {
      EngineShape shape;
      shape.stations = 2;
      NativeEngine engine(shape, 1);
      Life life(folder, clock, engine, garden, one_station, 2);
      const std::int64_t end_ns = clock.now + seconds * kNsPerSecond;
      while (clock.now < end_ns) {
        life.step();
        if (!opened && life.newest() == 12) {
          control.store(1, opening(life, 1));
          opened = true;
        }
        for (auto& [chunk, samples] : life.ring(1)) personal[chunk] = samples;
      }
    }
  }
  CHECK(whole.size() > 150);
  for (const auto& part : parts) {
    CAPTURE(part.first);
    if (whole.count(part.first) != 0) CHECK(whole.at(part.first) == part.second);
  }
  CHECK(parts.rbegin()->first - parts.begin()->first + 1 == static_cast<std::int64_t>(parts.size()));
}

TEST_CASE_FIXTURE(
    Fixture,
    "a synthd that starts with other stations adds and removes stations, and keeps those still configured") {
  const MusicParameters& sleep = kPresets[2].parameters;
  StationId before;
  {
    Life life(folder, clock, engine, chunks, {one_station[0], {"harbour", 8, sleep, false}}, 3);
    life.play(3 * kNsPerSecond);
    before = life.garden();
  }
  Life life(folder, clock, engine, chunks, {{"attic", 9, sleep, false}, one_station[0]}, 3);
  life.play(kNsPerSecond);
  CHECK(life.garden() == before);
  CHECK(life.name(1) == "attic");
  CHECK(life.name(2).empty());
  CHECK(chunks.rbegin()->first + 1 == static_cast<std::int64_t>(chunks.size()));
}

TEST_CASE("whatever another process does to the audio segment, the samples continue unchanged") {
  struct Harm {
    const char* what;
    std::function<void(const std::filesystem::path&)> inflict;
  };
  const std::vector<Harm> harms{
      {"removed", [](const auto& path) { std::filesystem::remove(path); }},
      {"cut short", [](const auto& path) { std::filesystem::resize_file(path, 0); }},
      {"its folder removed", [](const auto& path) { std::filesystem::remove_all(path.parent_path()); }}};
  for (const Harm& harm : harms) {
    CAPTURE(harm.what);
    TempDir folder_a;
    TempDir folder_b;
    ManualClock clock_a;
    ManualClock clock_b;
    Chunks undisturbed;
    Chunks disturbed;
    NativeEngine engine_a({}, 1);
    NativeEngine engine_b({}, 1);
    ControlWriter control_a(folder_a.path(), clock_a.now);
    ControlWriter control_b(folder_b.path(), clock_b.now);
    Life a(folder_a, clock_a, engine_a, undisturbed);
    Life b(folder_b, clock_b, engine_b, disturbed);
    for (Life* life : {&a, &b}) life->play(3 * kNsPerSecond);
    control_a.store(0, request(a, 1, kPresets[3].parameters));
    control_b.store(0, request(b, 1, kPresets[3].parameters));
    for (Life* life : {&a, &b}) life->play(5 * kNsPerSecond);
    const StationId station = b.garden();
    harm.inflict(folder_b.path() / "audio");
    for (Life* life : {&a, &b}) {
      life->play(200 * kNsPerMs);
      life->reader.refresh();
    }
    CHECK(b.garden() == station);
    // All chunks that are still due are there again, bit for bit.
    CHECK(b.depth_ns() >= kTargetNs - kChunkNs);
    const Chunks expected = a.ring(0);
    const Chunks restored = b.ring(0);
    for (std::int64_t chunk = b.reader.timeline().chunk_at(clock_b.now); chunk <= b.newest(); ++chunk) {
      CAPTURE(chunk);
      REQUIRE(restored.count(chunk) == 1);
      if (expected.count(chunk) != 0) CHECK(restored.at(chunk) == expected.at(chunk));
    }
    for (Life* life : {&a, &b}) life->play(5 * kNsPerSecond);
    CHECK(disturbed.rbegin()->second == undisturbed.at(disturbed.rbegin()->first));
    CHECK(b.state().applied_request == 1);
  }
}

}  // namespace auralis::synth_loop_restart_test
