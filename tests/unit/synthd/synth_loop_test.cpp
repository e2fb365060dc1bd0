// SPDX-License-Identifier: MIT
// The loop keeps the rings filled. No test here proves that rendering keeps up with real time.
#include "synthd/synth_loop.h"

#include "tests/unit/synthd/synth_loop_fixture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace auralis::synth_loop_test {

using namespace test;

TEST_CASE_FIXTURE(Fixture, "the ring is filled to its target depth and kept there") {
  Life life(folder, clock, engine, chunks);
  while (!life.loop.filled()) life.step();
  CHECK(life.depth_ns() > kTargetNs - kChunkNs);
  for (int i = 0; i < 300; ++i) {
    life.step();
    // A step runs at the latest when the depth falls below the target, and adds a chunk.
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
  CHECK(shown_metrics(folder).at("audio_synthesis_latency_ms").count() == published);
  MetricsReader reader(folder.path());
  reader.refresh();
  std::vector<MetricSample> samples;
  reader.read(samples);
  std::map<std::string, double> stages;
  for (const auto& sample : samples) {
    if (sample.spec.name == "auralis_stage_latency_ms")
      stages[sample.spec.labels.at(0).value] = sample.count();
  }
  CHECK(stages ==
        std::map<std::string, double>{{"compose", published}, {"render", published}, {"publish", published}});
}

TEST_CASE_FIXTURE(Fixture, "a loop that is held up shows how late it ran, and how fast it renders") {
  Life life(folder, clock, engine, chunks);
  engine.clock = &clock;
  engine.chunk_takes_ns = kChunkNs / 4;
  life.play(3 * kNsPerSecond);
  const auto late = [&] { return shown_metrics(folder).at("auralis_wakeup_latency_ms").buckets.at(5); };
  const auto factor = [&] { return shown_metrics(folder).at("auralis_realtime_factor").value; };
  CHECK(factor() == doctest::Approx(4));
  CHECK(late() == 0);
  clock.now += kNsPerSecond;
  life.step();
  CHECK(late() == 1);
  engine.chunk_takes_ns = 2 * kChunkNs;
  life.play(6 * kNsPerSecond);
  CHECK(factor() < 1);
}

TEST_CASE_FIXTURE(Fixture, "voices that the engine leaves out are counted") {
  engine.voices_dropped = 3;
  Life life(folder, clock, engine, chunks);
  life.play(kNsPerSecond);
  CHECK(shown_metrics(folder).at("auralis_engine_voices_dropped_total").value ==
        3 * static_cast<double>(engine.rendered.size()));
}

TEST_CASE_FIXTURE(Fixture, "the metrics name the engine, and call GPU only what is one") {
  {
    const Life life(folder, clock, engine, chunks);
    auto samples = shown_metrics(folder);
    CHECK(samples.at("auralis_engine_memory_mb").value == 3);
    CHECK(samples.count("gpu_memory_allocated_mb") == 0);
    const auto& labels = samples.at("auralis_engine_info").spec.labels;
    REQUIRE(labels.size() == 3);
    CHECK(labels[0].value == "digest");
    CHECK(labels[1].value == "device ??");  // its name is not ASCII
    CHECK(labels[2].value == "CPU");
  }
  engine.type = DeviceType::kAccelerator;
  const Life life(folder, clock, engine, chunks);
  auto samples = shown_metrics(folder);
  CHECK(samples.at("gpu_memory_allocated_mb").value == 3);
  CHECK(samples.count("auralis_engine_memory_mb") == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "after a pause longer than the ring the music continues as if there had been none") {
  Life life(folder, clock, engine, chunks);
  life.play(2 * kNsPerSecond);
  const std::int64_t before = life.newest();
  clock.now += 30 * kNsPerSecond;
  const std::int64_t playing = life.reader.timeline().chunk_at(clock.now);
  life.step();  // warm-up
  life.step();
  CHECK(life.newest() == playing + 1);
  CHECK(life.metrics.configured[0].skipped.value() == static_cast<double>(playing - before));
  CHECK(shown_metrics(folder).at("auralis_chunks_skipped_total").value ==
        static_cast<double>(playing - before));

  // The samples equal those without the pause.
  life.play(2 * kNsPerSecond);
  Chunks whole;
  TempDir other;
  ManualClock other_clock;
  Life steady(other, other_clock, engine, whole);
  steady.play(35 * kNsPerSecond);
  for (const auto& [chunk, samples] : chunks) CHECK(whole.at(chunk) == samples);
}

TEST_CASE_FIXTURE(Fixture,
                  "many stations that warm up delay no other station, and all of them start to play") {
  constexpr std::size_t kMany = 40;
  Life life(folder, clock, engine, chunks, one_station, kMany + 1);
  life.play(2 * kNsPerSecond);
  // 41 stations are 0.41 s of work per second, and their warm-up is some 4 s more.
  engine.clock = &clock;
  engine.chunk_takes_ns = kNsPerMs;
  ControlWriter control(folder.path(), clock.now);
  for (std::size_t index = 1; index <= kMany; ++index) {
    ControlRequest request = opening(life, index);
    request.chunk = 600;
    control.store(index, request);
  }
  const auto play_all = [&](std::int64_t duration_ns) {
    const std::int64_t end_ns = clock.now + duration_ns;
    while (clock.now < end_ns) clock.now = std::max(life.loop.step(), std::int64_t{clock.now});
  };
  const auto all_play = [&] {
    const std::int64_t live = life.reader.timeline().chunk_at(clock.now);
    for (std::size_t index = 0; index <= kMany; ++index) {
      if (life.reader.newest(life.station_id(index)).value_or(-1) <= live) return false;
    }
    return true;
  };
  play_all(kNsPerSecond);
  CHECK_FALSE(all_play());
  CHECK(life.reader.newest(life.station_id(1)));  // the first one does
  CHECK_FALSE(life.reader.newest(life.station_id(kMany)));
  play_all(14 * kNsPerSecond);
  CHECK(all_play());
  CHECK(life.metrics.configured[0].skipped.value() == 0);

  // The same holds after a pause so long that all rings ran empty.
  clock.now += 3 * kNsPerSecond;
  play_all(14 * kNsPerSecond);
  CHECK(all_play());
}

TEST_CASE_FIXTURE(Fixture, "the running loop stops promptly, and reports once that it is filled") {
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

}  // namespace auralis::synth_loop_test
