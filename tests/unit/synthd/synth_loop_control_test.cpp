// SPDX-License-Identifier: MIT
// How the loop handles requests and a new configuration.
#include "synthd/synth_loop.h"

#include "tests/unit/synthd/synth_loop_fixture.h"

#include <doctest/doctest.h>

namespace auralis::synth_loop_control_test {

using namespace test;

TEST_CASE_FIXTURE(Fixture, "levels change with the next chunk, key, mode and tempo with the next bar") {
  Life life(folder, clock, engine, chunks);
  life.play(kNsPerSecond);
  ControlWriter control(folder.path(), clock.now);
  MusicParameters wanted = kPresets[0].parameters;
  wanted.voices = 0b1110;  // pads off
  wanted.key = 5;
  wanted.bpm = 120;
  control.store(0, request(life, 3, wanted));
  const std::int64_t before = engine.last.first_frame;
  while (engine.last.first_frame == before) life.step();
  CHECK(life.state().applied_request == 3);

  const ParameterHistory history = life.state().history;
  REQUIRE(history.count == 2);
  CHECK(history.changes[1].chunk * 4'410 == engine.last.first_frame);
  CHECK(history.changes[1].parameters == wanted);
  CHECK(engine.last.gains_start[0] > 0);
  CHECK(engine.last.gains_end[0] == 0);
  CHECK(engine.last.gains_start[1] == engine.last.gains_end[1]);
  const std::int64_t ramp = engine.last.first_frame;
  while (engine.last.first_frame == ramp) life.step();
  CHECK(engine.last.gains_start[0] == 0);

  const Bars bars = bars_before(history, life.reader.timeline(), std::int64_t{10} * 44'100);
  CHECK(bars.bars[0].parameters == kPresets[0].parameters);
  CHECK(bars.bars[1].start_frame == bars.bars[0].frames);
  CHECK(bars.bars[1].parameters == wanted);
  CHECK(bars.bars[1].frames == bar_frames(120, 44'100));
}

TEST_CASE_FIXTURE(Fixture, "a request for another station or an outdated request changes nothing") {
  Life life(folder, clock, engine, chunks);
  ControlWriter control(folder.path(), clock.now);
  const auto in_force = [&] { return target(life.state().history); };
  control.store(0, request(life, 5, kPresets[1].parameters));
  life.play(kNsPerSecond);
  CHECK(in_force() == kPresets[1].parameters);
  ControlRequest other = request(life, 6, kPresets[2].parameters);
  other.generation += 2;
  control.store(0, other);
  life.play(kNsPerSecond);
  control.store(0, request(life, 5, kPresets[2].parameters));
  life.play(kNsPerSecond);
  ControlRequest close = request(life, 7, kPresets[2].parameters);
  close.action = ControlAction::kClose;  // valid only for personal stations
  control.store(0, close);
  life.play(kNsPerSecond);
  CHECK(in_force() == kPresets[1].parameters);
  CHECK(life.state().applied_request == 5);
}

TEST_CASE_FIXTURE(
    Fixture,
    "a personal station starts at once at the requested position in its music, and ends when closed") {
  Life life(folder, clock, engine, chunks, one_station, 2);
  life.play(5 * kNsPerSecond);
  ControlWriter control(folder.path(), clock.now);
  control.store(1, opening(life, 1));
  const std::int64_t asked_ns = clock.now;
  while (life.reader.newest(life.station_id(1)).value_or(-1) < life.newest()) life.step();
  // The loop looks for the control segment's file, which did not exist before, every 250 ms.
  CHECK(clock.now - asked_ns <= 300 * kNsPerMs);
  CHECK(life.name(1) == "p1");
  CHECK(engine.forgotten == 2);  // once per index, when its station was added
  const StationState state = life.reader.state(life.station_id(1)).value();
  CHECK(state.personal == 1);
  CHECK(state.open == 1);
  const auto ring = life.ring(1);
  const std::int64_t live = life.reader.timeline().chunk_at(clock.now);
  CHECK(ring.begin()->first < live);  // for the first listener
  CHECK(ring.begin()->first - state.origin_chunk == 70);
  CHECK(life.metrics.personal.published.value() == static_cast<double>(ring.size()));
  CHECK(life.metrics.personal.skipped.value() == 0);

  // The samples equal those of a station that has played the same history from its start.
  DigestEngine other{4'410};
  ParameterHistory history = begun_with(kPresets[3].parameters);
  add_change(history, Timeline{}, {65, kPresets[2].parameters});
  Station whole(5, Timeline{}, history);
  for (const auto& [chunk, samples] : ring) {
    const StationChunk input = whole.prepare(state.own_chunk(chunk));
    other.render(&input, 1);
    CHECK(samples[0] == *other.samples(0));
  }

  // A change applies to this generation; a request for the previous one does not.
  ControlRequest change = request(life, 2, kPresets[1].parameters);
  change.generation = life.station_id(1).generation;
  control.store(1, change);
  life.play(kNsPerSecond);
  CHECK(target(life.reader.state(life.station_id(1))->history) == kPresets[1].parameters);
  change.action = ControlAction::kClose;
  change.number = 3;
  change.generation -= 2;
  control.store(1, change);
  life.play(kNsPerSecond);
  CHECK(life.name(1) == "p1");
  change.generation += 2;
  control.store(1, change);
  life.play(kNsPerSecond);
  CHECK(life.name(1).empty());
  CHECK(life.name(0) == "garden");
  // Repeating the request opens nothing: the index has a new generation.
  control.store(1, opening(life, 0, 4));
  life.play(kNsPerSecond);
  CHECK(life.name(1).empty());
}

TEST_CASE_FIXTURE(Fixture, "adding and removing configured stations does not affect the others") {
  const MusicParameters& sleep = kPresets[2].parameters;
  const StationConfig& garden = one_station[0];
  Life life(folder, clock, engine, chunks, {garden, {"harbour", 8, sleep, false}}, 3);
  life.play(3 * kNsPerSecond);
  CHECK(life.name(1) == "harbour");
  CHECK(life.reader.state(life.station_id(1))->open == 0);
  const StationId before = life.garden();
  const double published = life.metrics.configured[1].published.value();
  CHECK(published > 30);

  StationConfig closed = garden;
  closed.open = false;
  life.loop.reconfigure({{"attic", 9, sleep, false}, closed});
  life.play(kNsPerSecond / 2);
  CHECK(life.garden() == before);
  CHECK(life.state().open == 0);
  CHECK(life.name(1) == "attic");
  CHECK(life.name(2).empty());
  // Its metrics start from zero.
  CHECK(life.metrics.configured[1].published.value() < 25);
  // It starts with its own first chunk.
  const StationState attic = life.reader.state(life.station_id(1)).value();
  CHECK(life.ring(1).begin()->first == attic.origin_chunk);

  // A new seed is a new station.
  const StationId attic_id = life.station_id(1);
  life.loop.reconfigure({{"attic", 10, sleep, false}, closed});
  life.play(kNsPerSecond);
  CHECK_FALSE(life.station_id(1) == attic_id);
  CHECK(life.reader.state(life.station_id(1))->seed == 10);
  for (const auto& chunk : life.ring(0)) CHECK(chunks.at(chunk.first) == chunk.second);
  CHECK(chunks.rbegin()->first + 1 == static_cast<std::int64_t>(chunks.size()));  // no gap
}

TEST_CASE_FIXTURE(Fixture, "of changes that come faster than they are applied the last one takes effect") {
  Life life(folder, clock, engine, chunks);
  life.play(kNsPerSecond);
  ControlWriter control(folder.path(), clock.now);
  std::uint64_t number = 0;
  MusicParameters wanted = kPresets[0].parameters;
  const std::int64_t end_ns = clock.now + 5 * kNsPerSecond;
  while (clock.now < end_ns) {
    wanted.intensity = static_cast<float>(number % 100) / 100;
    control.store(0, request(life, ++number, wanted));
    life.step();
  }
  CHECK(number > 100);
  life.play(kNsPerSecond);
  CHECK(life.state().applied_request == number);
  CHECK(target(life.state().history) == wanted);
  const ParameterHistory history = life.state().history;
  CHECK(history.count > 15);
  for (std::size_t i = 2; i < history.count; ++i) {
    CHECK(history.changes[i].chunk - history.changes[i - 1].chunk == 3);
  }
}

}  // namespace auralis::synth_loop_control_test
