// SPDX-License-Identifier: MIT
// The loop by a clock that the test moves. Its engine is a stand-in whose samples change with all that it is
// told, but where a test is about sound. That real time is kept, no test here proves.
#include "synthd/synth_loop.h"

#include "synthd/composer/composer.h"
#include "synthd/engine/failover_engine.h"
#include "synthd/engine/native_engine.h"
#include "synthd/engine/voice_pack.h"
#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <thread>

using namespace auralis;
using namespace auralis::test;

namespace {

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;
constexpr std::int64_t kTargetNs = 750 * kNsPerMs;
constexpr std::uint32_t kSlots = 20;

// Samples that are a digest of the chunk.
class DigestEngine final : public Engine {
 public:
  static constexpr std::size_t kSlots = 64;

  explicit DigestEngine(std::uint32_t chunk_frames)
      : chunk_frames_(chunk_frames), samples_(kSlots), next_frames_(kSlots, -1) {}

  RenderReport render(const StationChunk* batch, std::size_t count) override {
    REQUIRE(count <= kSlots);
    if (clock != nullptr) clock->now += static_cast<std::int64_t>(count) * chunk_takes_ns;
    for (std::size_t i = 0; i < count; ++i) render_one(batch + i, samples_[i]);
    return {1'000'000, 0};
  }
  const std::int16_t* samples(std::size_t index) const override { return samples_[index].data(); }
  const float* mix(std::size_t) const override { return nullptr; }
  std::int64_t next_frame(std::size_t station) const override { return next_frames_[station]; }
  void forget(std::size_t station) override {
    next_frames_[station] = -1;
    ++forgotten;
  }
  std::size_t device_bytes() const override { return 3 << 20; }

  ManualClock* clock = nullptr;  // which its work takes time on
  std::int64_t chunk_takes_ns = 0;
  int forgotten = 0;
  StationChunk last;
  std::optional<std::int64_t> fail_at;  // first frame of a chunk that is not rendered
  std::vector<std::int64_t> rendered;   // first frames, in order

 private:
  void render_one(const StationChunk* batch, std::vector<std::int16_t>& samples) {
    if (fail_at == batch->first_frame) throw EngineError("lost");
    std::uint64_t digest = static_cast<std::uint64_t>(batch->first_frame);
    const auto mix = [&](std::uint64_t value) { digest = (digest ^ value) * 0x100000001b3ULL; };
    for (const Voice* v = batch->voices; v != batch->voices + batch->voice_count; ++v) {
      if (v->start_frame + voice_frames(*v, 44'100) <= batch->first_frame) continue;
      mix(static_cast<std::uint64_t>(v->start_frame));
      mix(v->phase_increment);
      mix(v->seed);
      mix(v->gate_frames);
    }
    for (const float gain : batch->gains_start) mix(static_cast<std::uint64_t>(gain * 1e6F));
    for (const float gain : batch->gains_end) mix(static_cast<std::uint64_t>(gain * 1e6F));
    next_frames_[batch->station] = batch->first_frame + chunk_frames_;
    rendered.push_back(batch->first_frame);
    samples.assign(std::size_t{chunk_frames_} * 2, static_cast<std::int16_t>(digest >> 48));
    last = *batch;
  }

  std::uint32_t chunk_frames_;
  std::vector<std::vector<std::int16_t>> samples_;
  std::vector<std::int64_t> next_frames_;
};

// The native engine, until its device is lost.
class LostEngine final : public Engine {
 public:
  explicit LostEngine(std::int64_t lost_at) : lost_at_(lost_at) {}
  RenderReport render(const StationChunk* batch, std::size_t count) override {
    if (batch->first_frame >= lost_at_) throw EngineError("device lost");
    return native_.render(batch, count);
  }
  const std::int16_t* samples(std::size_t index) const override { return native_.samples(index); }
  const float* mix(std::size_t index) const override { return native_.mix(index); }
  std::int64_t next_frame(std::size_t station) const override { return native_.next_frame(station); }
  void forget(std::size_t station) override { native_.forget(station); }
  std::size_t device_bytes() const override { return native_.device_bytes(); }

 private:
  std::int64_t lost_at_;
  NativeEngine native_{{}, 1};
};

const std::vector<StationConfig> one_station{{"garden", 7, kPresets[0].parameters, true}};
using Chunks = std::map<std::int64_t, std::vector<std::int16_t>>;

// One life of synthd over segments in `folder`, and a reader that collects what it publishes.
class Life {
 public:
  Life(const TempDir& folder, ManualClock& clock, Engine& engine, Chunks& chunks,
       const std::vector<StationConfig>& stations = one_station, std::size_t places = 1)
      : clock_(clock),
        chunks_(chunks),
        metrics_writer_(folder.path(), declared_metrics<SynthMetrics>(), 1, clock.now),
        metrics(metrics_writer_.shard(0)),
        audio_(folder.path(), timeline_at(clock.now), kSlots, places),
        control_(folder.path()),
        loop({clock, engine, audio_, control_, metrics_writer_, metrics}, stations, kTargetNs),
        reader(folder.path()) {
    reader.refresh();
    REQUIRE(reader.ready());
  }

  static Timeline timeline_at(std::int64_t now_ns) {
    Timeline timeline;
    timeline.epoch_ns = now_ns + 200 * kNsPerMs;
    return timeline;
  }

  // One step; moves the clock to the next one's moment.
  void step() {
    const std::int64_t next_ns = loop.step();
    CHECK(next_ns >= clock_.now_ns());
    CHECK(next_ns <= clock_.now + SynthLoop::kLongestWaitNs);
    clock_.now = next_ns;
    collect();
  }

  void play(std::int64_t duration_ns) {
    const std::int64_t end_ns = clock_.now + duration_ns;
    while (clock_.now < end_ns) step();
  }

  StationId place(std::size_t index) const { return {index, reader.generation(index)}; }
  StationId garden() const { return place(0); }

  // The station at that place; empty: none.
  std::string name(std::size_t index) const {
    const auto state = reader.state(place(index));
    return state ? state->name : "";
  }
  // What its ring holds.
  Chunks ring(std::size_t index) const {
    Chunks result;
    std::vector<std::int16_t> samples(reader.timeline().chunk_samples());
    const std::int64_t newest = reader.newest(place(index)).value_or(-1);
    for (std::int64_t chunk = newest - kSlots; chunk <= newest; ++chunk) {
      if (chunk >= 0 && reader.read(place(index), chunk, samples.data()) == RingRead::kChunk) {
        result[chunk] = samples;
      }
    }
    return result;
  }
  std::int64_t newest() const { return reader.newest(garden()).value_or(-1); }
  StationState state() const { return reader.state(garden()).value(); }
  std::int64_t depth_ns() const { return reader.timeline().depth_ns(newest(), clock_.now); }

 private:
  void collect() {
    const auto chunk = reader.newest(garden());
    if (!chunk || chunks_.count(*chunk) != 0) return;
    std::vector<std::int16_t> samples(reader.timeline().chunk_samples());
    REQUIRE(reader.read(garden(), *chunk, samples.data()) == RingRead::kChunk);
    chunks_[*chunk] = std::move(samples);
  }

  ManualClock& clock_;
  Chunks& chunks_;
  MetricsWriter metrics_writer_;

 public:
  SynthMetrics metrics;

 private:
  AudioWriter audio_;
  ControlReader control_;

 public:
  SynthLoop loop;
  AudioReader reader;
};

// To the garden.
ControlRequest request(const Life& life, std::uint64_t number, const MusicParameters& parameters) {
  ControlRequest result;
  result.number = number;
  result.generation = life.garden().generation;
  result.history.count = 1;
  result.history.changes[0].parameters = parameters;
  return result;
}

struct Fixture {
  TempDir folder;
  ManualClock clock;
  DigestEngine engine{4'410};
  Chunks chunks;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "the ring is filled to its target depth and kept there") {
  Life life(folder, clock, engine, chunks);
  while (!life.loop.filled()) life.step();
  CHECK(life.depth_ns() > kTargetNs - kChunkNs);
  for (int i = 0; i < 300; ++i) {
    life.step();
    // A step comes at the latest when the depth falls below the target, and adds a chunk.
    CHECK(life.depth_ns() >= kTargetNs - kChunkNs);
    CHECK(life.depth_ns() <= kTargetNs + kChunkNs);
  }
  CHECK(chunks.begin()->first == 0);
  CHECK(chunks.size() == static_cast<std::size_t>(life.newest()) + 1);
}

TEST_CASE_FIXTURE(Fixture, "each chunk is counted and measured once") {
  Life life(folder, clock, engine, chunks);
  life.play(5 * kNsPerSecond);
  const auto published = static_cast<double>(life.newest() + 1);
  CHECK(life.metrics.configured[0].published.value() == published);
  CHECK(life.metrics.configured[0].skipped.value() == 0);
  CHECK(life.metrics.device_busy_seconds.value() == doctest::Approx(published * 0.001));
  MetricsReader figures(folder.path());
  figures.refresh();
  std::vector<MetricSample> samples;
  figures.read(samples);
  const auto find = [&](const char* name) {
    return *std::find_if(samples.begin(), samples.end(), [&](const auto& s) { return s.spec.name == name; });
  };
  CHECK(find("audio_synthesis_latency_ms").count() == published);
  CHECK(find("gpu_memory_allocated_mb").value == 3);
}

TEST_CASE("a synthd that is killed and started again plays the same samples as one that was not") {
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

TEST_CASE("a device that is lost is counted, and heard by nobody") {
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
    CHECK(life.metrics.failovers.value() == (loses ? 1 : 0));
    CHECK(life.metrics.configured[0].skipped.value() == 0);
  }
  CHECK(chunks == whole);
}

TEST_CASE("a device that is lost at once, while what still rings is rendered, is heard by nobody either") {
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

TEST_CASE_FIXTURE(Fixture,
                  "a synthd that starts renders first what still rings, and no chunk twice after that") {
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

TEST_CASE_FIXTURE(Fixture, "a synthd that dies between a state and its chunk renders that chunk alike") {
  Chunks whole;
  {
    TempDir other;
    ManualClock other_clock;
    DigestEngine other_engine{4'410};
    Life life(other, other_clock, other_engine, whole);
    life.play(20 * kNsPerSecond);
  }
  for (const std::int64_t chunk : {30, 39, 40, 41, 80, 120}) {  // bar lines fall into chunks 0, 40, 80, 120
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

TEST_CASE_FIXTURE(Fixture, "after a pause longer than the ring the music goes on where it would be by then") {
  Life life(folder, clock, engine, chunks);
  life.play(2 * kNsPerSecond);
  const std::int64_t before = life.newest();
  clock.now += 30 * kNsPerSecond;
  const std::int64_t playing = life.reader.timeline().chunk_at(clock.now);
  life.step();  // what still rings there
  life.step();
  CHECK(life.newest() == playing + 1);
  CHECK(life.metrics.configured[0].skipped.value() == static_cast<double>(playing - before));

  // What it plays is what it would have played without the pause.
  life.play(2 * kNsPerSecond);
  Chunks whole;
  TempDir other;
  ManualClock other_clock;
  Life steady(other, other_clock, engine, whole);
  steady.play(35 * kNsPerSecond);
  for (const auto& [chunk, samples] : chunks) CHECK(whole.at(chunk) == samples);
}

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

TEST_CASE_FIXTURE(Fixture, "a request for another station, or an old one, changes nothing") {
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
  close.action = ControlAction::kClose;  // which is for personal stations
  control.store(0, close);
  life.play(kNsPerSecond);
  CHECK(in_force() == kPresets[1].parameters);
  CHECK(life.state().applied_request == 5);
}

// Asks for a personal station at that place.
ControlRequest opening(const Life& life, std::size_t place, std::uint64_t number = 1) {
  ControlRequest result;
  result.action = ControlAction::kOpen;
  result.number = number;
  result.generation = life.place(place).generation + 1;
  std::string("p1").copy(result.station, kStationNameBytes - 1);
  result.seed = 5;
  result.chunk = 70;
  result.history.count = 2;
  result.history.changes[0].parameters = kPresets[3].parameters;
  result.history.changes[1] = {65, kPresets[2].parameters};
  return result;
}

TEST_CASE_FIXTURE(Fixture,
                  "a personal station begins where it was asked to, at once, and ends when it is closed") {
  Life life(folder, clock, engine, chunks, one_station, 2);
  life.play(5 * kNsPerSecond);
  ControlWriter control(folder.path(), clock.now);
  control.store(1, opening(life, 1));
  const std::int64_t asked_ns = clock.now;
  while (life.reader.newest(life.place(1)).value_or(-1) < life.newest()) life.step();
  // The control segment's file, which was not there before, is looked for every 250 ms.
  CHECK(clock.now - asked_ns <= 300 * kNsPerMs);
  CHECK(life.name(1) == "p1");
  CHECK(engine.forgotten == 2);  // each index, when its station was added
  const StationState state = life.reader.state(life.place(1)).value();
  CHECK(state.personal == 1);
  CHECK(state.open == 1);
  const auto ring = life.ring(1);
  const std::int64_t live = life.reader.timeline().chunk_at(clock.now);
  CHECK(ring.begin()->first < live);  // for the first listener
  CHECK(ring.begin()->first - state.origin_chunk == 70);
  CHECK(life.metrics.personal.published.value() == static_cast<double>(ring.size()));
  CHECK(life.metrics.personal.skipped.value() == 0);

  // The samples are those of a station that has played so from its beginning.
  DigestEngine other{4'410};
  ParameterHistory history = begun_with(kPresets[3].parameters);
  add_change(history, Timeline{}, {65, kPresets[2].parameters});
  Station whole(5, Timeline{}, history);
  for (const auto& [chunk, samples] : ring) {
    const StationChunk input = whole.prepare(state.own_chunk(chunk));
    other.render(&input, 1);
    CHECK(samples[0] == *other.samples(0));
  }

  // A change obeys it; a request for the tenant before it does not.
  ControlRequest change = request(life, 2, kPresets[1].parameters);
  change.generation = life.place(1).generation;
  control.store(1, change);
  life.play(kNsPerSecond);
  CHECK(target(life.reader.state(life.place(1))->history) == kPresets[1].parameters);
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
  // The same request again opens nothing: the place is another one's by now.
  control.store(1, opening(life, 0, 4));
  life.play(kNsPerSecond);
  CHECK(life.name(1).empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "many stations that must be brought up first keep no other waiting, and all come to play") {
  constexpr std::size_t kMany = 40;
  Life life(folder, clock, engine, chunks, one_station, kMany + 1);
  life.play(2 * kNsPerSecond);
  // 41 stations are 0.41 s of work a second, and what rings in the reverbs is some 4 s more.
  engine.clock = &clock;
  engine.chunk_takes_ns = kNsPerMs;
  ControlWriter control(folder.path(), clock.now);
  for (std::size_t place = 1; place <= kMany; ++place) {
    ControlRequest request = opening(life, place);
    request.chunk = 600;
    control.store(place, request);
  }
  const auto play_all = [&](std::int64_t duration_ns) {
    const std::int64_t end_ns = clock.now + duration_ns;
    while (clock.now < end_ns) clock.now = std::max(life.loop.step(), std::int64_t{clock.now});
  };
  const auto all_play = [&] {
    const std::int64_t live = life.reader.timeline().chunk_at(clock.now);
    for (std::size_t place = 0; place <= kMany; ++place) {
      if (life.reader.newest(life.place(place)).value_or(-1) <= live) return false;
    }
    return true;
  };
  play_all(kNsPerSecond);
  CHECK_FALSE(all_play());
  CHECK(life.reader.newest(life.place(1)));  // the first one does
  CHECK_FALSE(life.reader.newest(life.place(kMany)));
  play_all(14 * kNsPerSecond);
  CHECK(all_play());
  CHECK(life.metrics.configured[0].skipped.value() == 0);

  // So it is when it stood still for so long that all rings ran dry.
  clock.now += 3 * kNsPerSecond;
  play_all(14 * kNsPerSecond);
  CHECK(all_play());
}

TEST_CASE("stations go on over a kill, personal ones too, with the same samples") {
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

TEST_CASE_FIXTURE(Fixture, "configured stations come and go, and the others do not notice") {
  const MusicParameters& sleep = kPresets[2].parameters;
  const StationConfig& garden = one_station[0];
  Life life(folder, clock, engine, chunks, {garden, {"harbour", 8, sleep, false}}, 3);
  life.play(3 * kNsPerSecond);
  CHECK(life.name(1) == "harbour");
  CHECK(life.reader.state(life.place(1))->open == 0);
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
  // Its figures are its own, from the beginning.
  CHECK(life.metrics.configured[1].published.value() < 25);
  // It begins with its own first chunk.
  const StationState attic = life.reader.state(life.place(1)).value();
  CHECK(life.ring(1).begin()->first == attic.origin_chunk);

  // Another seed is another music.
  const StationId attic_place = life.place(1);
  life.loop.reconfigure({{"attic", 10, sleep, false}, closed});
  life.play(kNsPerSecond);
  CHECK_FALSE(life.place(1) == attic_place);
  CHECK(life.reader.state(life.place(1))->seed == 10);
  for (const auto& chunk : life.ring(0)) CHECK(chunks.at(chunk.first) == chunk.second);
  CHECK(chunks.rbegin()->first + 1 == static_cast<std::int64_t>(chunks.size()));  // no gap
}

TEST_CASE_FIXTURE(Fixture,
                  "a synthd that starts with other stations adds and removes them, and keeps what still is") {
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

TEST_CASE_FIXTURE(Fixture,
                  "changes that come faster than they are taken are not lost: the last one is in force") {
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

TEST_CASE("whatever another process does to the audio segment, the same samples go on") {
  const std::vector<std::pair<const char*, std::function<void(const std::filesystem::path&)>>> harms{
      {"removed", [](const auto& path) { std::filesystem::remove(path); }},
      {"cut short", [](const auto& path) { std::filesystem::resize_file(path, 0); }},
      {"its folder removed", [](const auto& path) { std::filesystem::remove_all(path.parent_path()); }}};
  for (const auto& [what, harm] : harms) {
    CAPTURE(what);
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
    const StationId place = b.garden();
    harm(folder_b.path() / "audio");
    for (Life* life : {&a, &b}) {
      life->play(200 * kNsPerMs);
      life->reader.refresh();
    }
    CHECK(b.garden() == place);
    // All that is still due is there again, to the bit.
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

TEST_CASE_FIXTURE(Fixture, "the running loop stops promptly, and tells once that it is filled") {
  const SystemClock real;
  clock.now = real.now_ns() + 60 * kNsPerSecond;
  Life life(folder, clock, engine, chunks);
  while (!life.loop.filled()) life.loop.step();
  int filled = 0;
  std::thread thread([&] { life.loop.run([&] { ++filled; }); });
  // The loop's clock stands still, a minute ahead: it would sleep for that minute.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const std::int64_t begin_ns = real.now_ns();
  life.loop.stop();
  thread.join();
  CHECK(real.now_ns() - begin_ns < kNsPerSecond);
  CHECK(filled == 1);
  CHECK(life.loop.healthy(clock.now + 4 * kNsPerSecond));
  CHECK_FALSE(life.loop.healthy(clock.now + 6 * kNsPerSecond));
}
