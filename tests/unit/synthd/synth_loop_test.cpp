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
  explicit DigestEngine(std::uint32_t chunk_frames) : samples_(std::size_t{chunk_frames} * 2) {}

  RenderReport render(const StationChunk* batch, std::size_t count) override {
    REQUIRE(count == 1);
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
    next_frame_ = batch->first_frame + static_cast<std::int64_t>(samples_.size() / 2);
    rendered.push_back(batch->first_frame);
    std::fill(samples_.begin(), samples_.end(), static_cast<std::int16_t>(digest >> 48));
    last = *batch;
    return {1'000'000, 0};
  }
  const std::int16_t* samples(std::size_t) const override { return samples_.data(); }
  const float* mix(std::size_t) const override { return nullptr; }
  std::int64_t next_frame(std::size_t) const override { return next_frame_; }
  std::size_t device_bytes() const override { return 3 << 20; }

  StationChunk last;
  std::optional<std::int64_t> fail_at;  // first frame of a chunk that is not rendered
  std::vector<std::int64_t> rendered;   // first frames, in order

 private:
  std::int64_t next_frame_ = -1;
  std::vector<std::int16_t> samples_;
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
  std::int64_t next_frame(std::size_t slot) const override { return native_.next_frame(slot); }
  std::size_t device_bytes() const override { return native_.device_bytes(); }

 private:
  std::int64_t lost_at_;
  NativeEngine native_{{}, 1};
};

const std::vector<StationInfo> one_station{{"garden", 7}};
using Chunks = std::map<std::int64_t, std::vector<std::int16_t>>;

// One life of synthd over segments in `folder`, and a reader that collects what it publishes.
class Life {
 public:
  Life(const TempDir& folder, ManualClock& clock, Engine& engine, Chunks& chunks)
      : clock_(clock),
        chunks_(chunks),
        metrics_writer_(folder.path(), declared_metrics<SynthMetrics>(one_station), 1, clock.now),
        metrics(metrics_writer_.lane(0), one_station),
        audio_(folder.path(), timeline_at(clock.now), kSlots, one_station),
        control_(folder.path()),
        loop({clock, engine, audio_, control_, metrics_writer_, metrics}, one_station, kPresets[0].parameters,
             kTargetNs),
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

  std::int64_t newest() const { return reader.newest(0).value_or(-1); }
  StationState state() const { return reader.state(0).value(); }
  std::int64_t depth_ns() const { return reader.timeline().depth_ns(newest(), clock_.now); }

 private:
  void collect() {
    const auto chunk = reader.newest(0);
    if (!chunk || chunks_.count(*chunk) != 0) return;
    std::vector<std::int16_t> samples(reader.timeline().chunk_samples());
    REQUIRE(reader.read(0, *chunk, samples.data()) == RingRead::kChunk);
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

ControlRequest request(std::uint64_t number, const MusicParameters& parameters,
                       const char* station = "garden") {
  ControlRequest result;
  result.number = number;
  std::string(station).copy(result.station, kStationNameBytes - 1);
  result.parameters = parameters;
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
  CHECK(life.depth_ns() == kTargetNs - 1);  // the clock has moved on to where it falls below
  for (int i = 0; i < 300; ++i) {
    life.step();
    // A step comes when the depth falls below the target, and adds a chunk.
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
  CHECK(life.metrics.stations[0].published.value() == published);
  CHECK(life.metrics.stations[0].skipped.value() == 0);
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
    control_a.store(0, request(1, other));
    life.play(17 * kNsPerSecond);
  }
  for (const int seconds : {3, 1, 5, 4, 7}) {
    NativeEngine engine({}, 1);
    Life life(folder_b, clock_b, engine, interrupted);
    life.play(seconds * kNsPerSecond);
    control_b.store(0, request(1, other));
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
    CHECK(life.metrics.stations[0].skipped.value() == 0);
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
  life.step();
  CHECK(life.newest() == playing + 1);
  CHECK(life.metrics.stations[0].skipped.value() == static_cast<double>(playing - before));
  const StationState state = life.state();
  const BarRecord& bar = state.bars[state.bar_count - 1];
  CHECK(bar.index == ((playing + 2) * 4'410 + kTileFrames - 1) / bar_frames(60, 44'100));

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
  control.store(0, request(3, wanted));
  while (life.state().applied_request != 3) life.step();

  const StationState state = life.state();
  CHECK(state.levels[state.level_count - 1].chunk * 4'410 == engine.last.first_frame);
  CHECK(engine.last.gains_start[0] > 0);
  CHECK(engine.last.gains_end[0] == 0);
  CHECK(engine.last.gains_start[1] == engine.last.gains_end[1]);
  CHECK(state.bars[state.bar_count - 1].parameters == kPresets[0].parameters);
  life.step();
  CHECK(engine.last.gains_start[0] == 0);

  while (life.state().bar_count == 1) life.step();
  const StationState later = life.state();
  CHECK(later.bars[1].start_frame == later.bars[0].frames);
  CHECK(later.bars[1].parameters == wanted);
  CHECK(later.bars[1].frames == bar_frames(120, 44'100));
}

TEST_CASE_FIXTURE(Fixture, "a request for another station, or an old one, changes nothing") {
  Life life(folder, clock, engine, chunks);
  ControlWriter control(folder.path(), clock.now);
  control.store(0, request(5, kPresets[1].parameters));
  life.play(kNsPerSecond);
  CHECK(life.state().target == kPresets[1].parameters);
  control.store(0, request(6, kPresets[2].parameters, "harbour"));
  life.play(kNsPerSecond);
  control.store(0, request(5, kPresets[2].parameters));
  life.play(kNsPerSecond);
  CHECK(life.state().target == kPresets[1].parameters);
  CHECK(life.state().applied_request == 5);
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
