// SPDX-License-Identifier: MIT
// The table of stations alone: which station is at which index. synth_loop_test covers their sound.
#include "synthd/stations.h"

#include "synthd/engine/native_engine.h"
#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

namespace auralis::stations_test {

using namespace test;

namespace {

constexpr std::size_t kCapacity = 2;
constexpr std::int64_t kNowNs = 10 * kNsPerSecond;  // chunk 100 of a timeline that starts at 0

EngineShape small_shape() {
  EngineShape shape;
  shape.stations = kCapacity;
  return shape;
}

StationConfig configured(const std::string& name, std::uint64_t seed = 7, bool open = true) {
  return {name, seed, kPresets[0].parameters, open};
}

StationState personal_state() {
  StationState state = named_state("p1");
  state.personal = 1;
  state.seed = 5;
  state.history = begun_with(kPresets[1].parameters);
  return state;
}

struct Fixture {
  TempDir folder;
  NativeEngine engine{small_shape(), 1};
  MetricsWriter metrics_writer{folder.path(), declared_metrics<SynthMetrics>(), SynthMetrics::kShards, 1};
  SynthMetrics metrics{metrics_writer.shard(SynthMetrics::kLoopShard)};
  AudioWriter audio{folder.path(), Timeline{}, 20, kCapacity};
  Stations stations{{engine, audio, metrics_writer, metrics}};

  std::string name(std::size_t index) const {
    return stations.contains(index) ? stations.at(index).state.name : "";
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "configured stations take the first free indices and keep them") {
  CHECK(stations.capacity() == kCapacity);
  stations.apply({configured("day"), configured("night")}, kNowNs);
  CHECK(name(0) == "day");
  CHECK(name(1) == "night");
  const std::uint64_t generation = audio.generation(1);
  stations.apply({configured("night")}, kNowNs);
  CHECK(name(0).empty());
  CHECK(stations.holds(1, generation));
}

TEST_CASE_FIXTURE(Fixture, "a station starts with its own first chunk, slightly in the past") {
  stations.apply({configured("day")}, kNowNs);
  const StationSlot& slot = stations.at(0);
  CHECK(slot.next_own() == 0);
  CHECK(slot.newest + 1 == 97);  // 300 ms before chunk 100
  CHECK(slot.lead_in == 100);
}

TEST_CASE_FIXTURE(Fixture, "a new seed starts a new generation; opening or closing the controls does not") {
  stations.apply({configured("day")}, kNowNs);
  const std::uint64_t generation = audio.generation(0);
  stations.apply({configured("day", 7, false)}, kNowNs);
  CHECK(stations.holds(0, generation));
  CHECK(audio.state(0)->open == 0);
  stations.apply({configured("day", 8, false)}, kNowNs);
  CHECK_FALSE(stations.holds(0, generation));
  CHECK(stations.at(0).state.seed == 8);
}

TEST_CASE_FIXTURE(Fixture, "a configured station waits while personal ones use the whole capacity") {
  stations.add(0, personal_state(), 0, kNowNs);
  stations.add(1, personal_state(), 0, kNowNs);
  stations.apply({configured("day")}, kNowNs);
  CHECK(stations.wants_index());
  CHECK(stations.at(0).state.personal == 1);
  CHECK(stations.at(1).state.personal == 1);
  stations.remove(1);
  stations.apply({configured("day")}, kNowNs);
  CHECK_FALSE(stations.wants_index());
  CHECK(name(1) == "day");
}

TEST_CASE_FIXTURE(Fixture, "lost chunks are rendered again, under the same numbers") {
  stations.apply({configured("day")}, kNowNs);
  StationSlot& slot = stations.at(0);
  const std::int64_t origin = slot.state.origin_chunk;
  slot.newest += 50;
  stations.rewind(kNowNs + 5 * kNsPerSecond);
  CHECK(stations.at(0).newest + 1 == 147);
  CHECK(stations.at(0).state.origin_chunk == origin);
  CHECK(engine.next_frame(0) == -1);
}

TEST_CASE(
    "stations of a previous synthd continue where their rings end, those without chunks at the live "
    "position") {
  const TempDir folder;
  // A timeline that is valid for a segment of the current boot.
  const std::int64_t now_ns = SystemClock().now_ns();
  Timeline timeline;
  timeline.epoch_ns = now_ns - kNowNs;
  NativeEngine engine{small_shape(), 1};
  MetricsWriter metrics_writer{folder.path(), declared_metrics<SynthMetrics>(), SynthMetrics::kShards, 1};
  SynthMetrics metrics{metrics_writer.shard(SynthMetrics::kLoopShard)};
  {
    AudioWriter former{folder.path(), timeline, 20, kCapacity};
    former.open(0, personal_state());
    StationState day = named_state("day");
    day.history = begun_with(kPresets[0].parameters);
    former.open(1, day);
    const std::vector<std::int16_t> silence(timeline.chunk_samples());
    former.write_chunk(0, 90, silence.data());
    former.publish(now_ns);
  }
  Timeline fresh;
  fresh.epoch_ns = now_ns;  // ignored: the previous epoch continues
  AudioWriter audio{folder.path(), fresh, 20, kCapacity};
  Stations stations{{engine, audio, metrics_writer, metrics}};
  stations.restore(now_ns);
  CHECK(stations.at(0).newest == 90);
  CHECK(stations.at(1).newest == 100);
}

TEST_CASE("the log names a configured station, and a personal one by its index alone") {
  const auto day = log_field(3, named_state("day"));
  CHECK(day.first == "station");
  const auto personal = log_field(3, personal_state());
  CHECK(personal.first == "index");
}

}  // namespace auralis::stations_test
