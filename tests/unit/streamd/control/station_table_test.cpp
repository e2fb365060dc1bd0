// SPDX-License-Identifier: MIT
// The stations as streamd sees them, by a clock that the test moves; synthd's part is the test's.
#include "streamd/control/station_table.h"

#include <doctest/doctest.h>

#include "common/base/process_time.h"
#include "tests/unit/streamd/support.h"

namespace auralis::station_table_test {
namespace {

struct Fixture {
  test::TempDir folder;
  test::ManualClock clock;
  test::FakeSynth synth{folder.path() / "synthd", clock.now};
  AudioReader reader{folder.path() / "synthd"};
  std::optional<StationTable> stations;
  ControlReader control{folder.path() / "streamd"};

  Fixture() {
    reader.refresh();
    stations.emplace(folder.path() / "streamd", reader, clock);
    stations->refresh(true);
    control.refresh();
  }

  // Opens the requested station, as synthd does.
  StationId obey(std::size_t id) {
    const ControlRequest request = control.request(id).value();
    REQUIRE(request.action == ControlAction::kOpen);
    REQUIRE(synth.writer().generation(id) + 1 == request.generation);
    StationState state = named_state(request.station);
    state.personal = state.open = 1;
    state.seed = request.seed;
    state.applied_request = request.number;
    return synth.open(id, state);
  }
};

TEST_CASE_FIXTURE(Fixture,
                  "stations are found by their names, and the default one is the one named default") {
  CHECK(stations->configured().size() == 1);
  CHECK(stations->default_station() == synth.usual());
  synth.writer().close(0);
  const StationId night = synth.open(0, named_state("night"));
  const StationId standard = synth.open(1, named_state("default"));
  const auto changes = stations->refresh(false);
  CHECK(changes.came.size() == 2);
  REQUIRE(changes.gone.size() == 1);
  CHECK(changes.gone[0].name == "default");
  CHECK(stations->default_station() == standard);
  CHECK(stations->find("night") == night);
  CHECK_FALSE(stations->find("day"));
  CHECK(stations->refresh(false).came.empty());
  synth.writer().close(1);
  CHECK(stations->refresh(false).gone.size() == 1);
  CHECK(stations->default_station() == night);
}

TEST_CASE_FIXTURE(Fixture, "a request is reported as in force once chunks that follow from it are rendered") {
  synth.write(0, 5);
  StationState state = *stations->all().front().second;
  MusicParameters loud = target(state.history);
  loud.intensity = 1;
  add_change(state.history, reader.timeline(), {7, loud});
  state.applied_request = 3;
  synth.writer().store_state(0, state);
  stations->refresh(false);
  CHECK(stations->status(synth.usual())->request == 0);
  CHECK(stations->status(synth.usual())->in_force.intensity < 1);
  CHECK(stations->status(synth.usual())->target.intensity == 1);
  synth.write(6, 7);
  CHECK(stations->status(synth.usual())->request == 3);
  CHECK(stations->status(synth.usual())->in_force.intensity == 1);
  // Until the next one.
  stations->refresh(false);
  add_change(state.history, reader.timeline(), {20, target(state.history)});
  state.applied_request = 4;
  synth.writer().store_state(0, state);
  stations->refresh(false);
  CHECK(stations->status(synth.usual())->request == 3);
}

TEST_CASE_FIXTURE(Fixture, "a personal station is requested in a free row, and comes") {
  CHECK(stations->free_capacity() == 2);
  Permalink link;
  link.seed = 42;
  link.chunk = 100;
  link.history = begun_with(find_preset("sleep")->parameters);
  const auto id = stations->open(link, {});
  REQUIRE(id);
  CHECK(id->index == 1);
  CHECK(stations->free_capacity() == 1);
  CHECK(stations->find(*id) == nullptr);
  const ControlRequest request = control.request(1).value();
  CHECK(request.seed == 42);
  CHECK(request.chunk == 100);
  CHECK(request.generation == id->generation);
  CHECK(target(widened(request.history)) == find_preset("sleep")->parameters);
  // No change before it has come: it would overwrite the request for it.
  CHECK_FALSE(stations->choose(*id, kPresets[0]));

  const StationId came = obey(1);
  CHECK(came == *id);
  CHECK(stations->refresh(false).came == std::vector<StationId>{came});
  REQUIRE(stations->find(came) != nullptr);
  CHECK(stations->find(came)->personal == 1);
  CHECK(stations->personal() == 1);
  CHECK(stations->free_capacity() == 1);
  CHECK(stations->configured().size() == 1);
  CHECK(stations->find(stations->find(came)->name) == came);
  CHECK(stations->choose(came, kPresets[0])->request == 2);
}

TEST_CASE_FIXTURE(Fixture, "no station is opened if all rows are taken, or synthd is gone") {
  const auto first = stations->open({}, {});
  const auto second = stations->open({}, {});
  REQUIRE(second);
  CHECK(first->index != second->index);
  CHECK(control.request(1)->seed != control.request(2)->seed);  // drawn
  CHECK(std::string(control.request(1)->station) != control.request(2)->station);
  CHECK(stations->free_capacity() == 0);
  CHECK_FALSE(stations->open({}, {}));
}

TEST_CASE_FIXTURE(Fixture, "a row that was taken since the last refresh is not requested") {
  synth.open(1, named_state("night"));
  CHECK(stations->open({}, {})->index == 2);
}

TEST_CASE_FIXTURE(Fixture, "a row whose state cannot be read counts as taken") {
  StationState damaged = named_state("");
  synth.open(1, damaged);
  stations->refresh(false);
  CHECK(stations->open({}, {})->index == 2);
}

TEST_CASE_FIXTURE(Fixture, "a station that does not come in time is given up, and its request withdrawn") {
  const auto id = stations->open({}, {});
  clock.now += StationTable::kOpenTimeoutNs - 1;
  CHECK(stations->refresh(false).gone.empty());
  clock.now += 1;
  const auto gone = stations->refresh(false).gone;
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].id == *id);
  CHECK(gone[0].name.empty());
  CHECK(control.request(id->index)->action == ControlAction::kClose);
  CHECK(stations->free_capacity() == 2);
}

TEST_CASE_FIXTURE(Fixture, "while the process is stopped, neither synthd nor listeners can be late") {
  stations.reset();
  ProcessTime process_time(clock, kNsPerSecond);
  stations.emplace(folder.path() / "streamd", reader, clock, process_time);
  stations->refresh(true);
  control.refresh();
  const auto id = stations->open({}, nullptr);
  clock.now += 60 * kNsPerSecond;
  CHECK(stations->refresh(false).gone.empty());
  process_time.step();
  obey(id->index);
  CHECK(stations->refresh(false).came.size() == 1);
  clock.now += 60 * kNsPerSecond;
  stations->close_idle([](const StationId&) { return false; });
  CHECK(control.request(id->index)->action == ControlAction::kOpen);
}

TEST_CASE_FIXTURE(Fixture,
                  "a station whose row another station took first is gone, and can be requested again") {
  const auto id = stations->open({}, {});
  bool twice = false;
  SUBCASE("of the generation that it should have had") {}
  SUBCASE("of a later one") { twice = true; }
  synth.open(id->index, named_state("night"));  // by a reloaded configuration
  if (twice) {
    synth.writer().close(id->index);
    synth.open(id->index, named_state("day"));
  }
  const auto changes = stations->refresh(false);
  REQUIRE(changes.gone.size() == 1);
  CHECK(changes.gone[0].id == *id);
  CHECK(changes.gone[0].name.empty());
  CHECK(changes.gone[0].link);  // to be requested again
  CHECK(changes.came.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a personal station ends after some seconds without listeners") {
  const auto id = stations->open({}, {});
  obey(id->index);
  stations->refresh(false);
  const auto closed = [&] { return control.request(id->index)->action == ControlAction::kClose; };
  const auto look = [&](bool listeners) {
    stations->close_idle([&](const StationId&) { return listeners; });
  };
  clock.now += StationTable::kIdleNs + kNsPerSecond;
  look(true);
  CHECK_FALSE(closed());
  clock.now += StationTable::kIdleNs - 1;
  look(false);
  CHECK_FALSE(closed());
  clock.now += 1;
  look(false);
  CHECK(closed());
  CHECK(control.request(0) == std::nullopt);  // the configured one plays without listeners too
}

TEST_CASE_FIXTURE(Fixture, "a personal station counts for the address that requested it until it is gone") {
  const IpAddress client = parse_ip_address("192.0.2.1").value();
  ConnectionLimiter limiter({10, 1}, [](const IpAddress&) { return false; });
  const auto id = stations->open({}, limiter.acquire_shared(client));
  REQUIRE(id);
  CHECK(limiter.taken_at(client) == 1);
  CHECK(limiter.acquire_shared(client) == nullptr);
  CHECK(stations->is_personal(*id));
  SUBCASE("it came, and ended") {
    obey(id->index);
    stations->refresh(false);
    stations->refresh(true);
    CHECK(stations->is_personal(*id));
    CHECK(limiter.taken_at(client) == 1);
    stations->end(*id);
    CHECK(control.request(id->index)->action == ControlAction::kClose);
    CHECK(limiter.taken_at(client) == 1);  // it still plays
    synth.writer().close(id->index);
    stations->refresh(false);
  }
  SUBCASE("it did not come") {
    clock.now += StationTable::kOpenTimeoutNs;
    stations->refresh(false);
  }
  SUBCASE("another one took its row, and it came elsewhere") {
    synth.open(id->index, named_state("night"));
    {
      auto changes = stations->refresh(false);
      REQUIRE(changes.gone.size() == 1);
      CHECK(limiter.taken_at(client) == 1);
      const auto other = stations->open(*changes.gone[0].link, changes.gone[0].permit);
      REQUIRE(other);
      obey(other->index);
      stations->refresh(false);
      synth.writer().close(other->index);
    }
    CHECK(limiter.taken_at(client) == 1);
    stations->refresh(false);
  }
  CHECK(limiter.taken_at(client) == 0);
}

TEST_CASE_FIXTURE(Fixture, "a configured station is not personal, and is not ended") {
  stations->end(synth.usual());
  CHECK(control.request(0) == std::nullopt);
  CHECK_FALSE(stations->is_personal(synth.usual()));
}

TEST_CASE_FIXTURE(Fixture, "a change is relative to the one that is not applied yet") {
  ParameterPatch intensity;
  intensity.numbers[1] = 0.25F;
  ParameterPatch key;
  key.key = 4;
  const auto first = stations->change(synth.usual(), intensity);
  REQUIRE(first);
  const auto second = stations->change(synth.usual(), key);
  REQUIRE(second);
  CHECK(second->request == first->request + 1);
  CHECK(second->target.intensity == 0.25F);
  CHECK(second->target.key == 4);
  CHECK(control.request(0)->generation == synth.usual().generation);
  CHECK(target(widened(control.request(0)->history)) == second->target);
}

TEST_CASE_FIXTURE(Fixture,
                  "an accepted change that a working synthd does not take up is taken back, and withdrawn") {
  const MusicParameters before = target(stations->find(synth.usual())->history);
  const auto accepted = stations->choose(synth.usual(), kPresets[3]);
  REQUIRE(accepted);
  clock.now += AcceptedChanges::kTakeUpNs - 1;
  synth.writer().beat(clock.now);
  CHECK(stations->refresh(false).taken_back.empty());
  clock.now += 1;
  const auto changes = stations->refresh(false);
  REQUIRE(changes.taken_back.size() == 1);
  CHECK(changes.taken_back[0].id == synth.usual());
  CHECK(changes.taken_back[0].request == accepted->request);
  CHECK(changes.taken_back[0].target == before);
  // If synthd finds its request after all, that changes nothing.
  CHECK(control.request(0)->number > accepted->request);
  CHECK(target(widened(control.request(0)->history)) == before);
  clock.now += AcceptedChanges::kTakeUpNs;
  synth.writer().beat(clock.now);
  CHECK(stations->refresh(false).taken_back.empty());
}

TEST_CASE_FIXTURE(
    Fixture,
    "a change whose synthd hangs waits for it; one whose station restarted from nothing is taken back") {
  const auto accepted = stations->choose(synth.usual(), kPresets[3]);
  REQUIRE(accepted);
  clock.now += 100 * kNsPerSecond;  // without a heartbeat
  CHECK(stations->refresh(false).taken_back.empty());
  CHECK(control.request(0)->number == accepted->request);
  synth.writer().close(0);
  const StationId again = synth.open(0, named_state("default"));
  const auto changes = stations->refresh(false);
  REQUIRE(changes.taken_back.size() == 1);
  CHECK(changes.taken_back[0].id == again);
  CHECK(changes.taken_back[0].request == accepted->request);
}

TEST_CASE_FIXTURE(Fixture,
                  "a status is of the rendering position, and its permalink of the moment that is due") {
  CHECK_FALSE(stations->status(synth.usual()));  // it has not sounded yet
  StationState state = named_state("late");
  state.seed = 9;
  state.origin_chunk = 20;
  const StationId late = synth.open(1, state);
  state.history = begun_with(kPresets[0].parameters);  // bars of 40 chunks
  add_change(state.history, Timeline{}, {60, kPresets[2].parameters});
  synth.writer().store_state(1, state);
  synth.write(76, 83, 1);
  stations->refresh(false);
  clock.now = synth.writer().timeline().due_ns(76);
  const auto status = stations->status(late);
  REQUIRE(status);
  CHECK(status->station == "late");
  CHECK(status->bar == 1);
  CHECK(status->in_force.intensity == kPresets[2].parameters.intensity);
  CHECK(status->in_force.key == kPresets[0].parameters.key);  // until the next bar
  CHECK(status->target == kPresets[2].parameters);
  CHECK(status->sample_index == 56 * 4'410);
  const Permalink link = permalink_of(query_fields(stations->permalink(late)));
  CHECK(link.seed == 9);
  CHECK(link.chunk == 56);
  CHECK(link.history.count == 2);
}

}  // namespace
}  // namespace auralis::station_table_test
