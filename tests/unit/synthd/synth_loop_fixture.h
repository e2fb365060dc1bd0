// SPDX-License-Identifier: MIT
// Fixture with the synthesis loop on a clock that the test moves. Its engine is a fake whose samples depend
// on all of its input, except in tests about sound.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "synthd/engine/native_engine.h"
#include "synthd/engine/voice_pack.h"
#include "synthd/synth_loop.h"
#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

namespace auralis::test {

inline constexpr std::int64_t kChunkNs = 100 * kNsPerMs;
inline constexpr std::int64_t kTargetNs = 750 * kNsPerMs;
inline constexpr std::uint32_t kSlots = 20;

// Fake engine whose samples are a digest of the chunk.
class DigestEngine final : public Engine {
 public:
  static constexpr std::size_t kSlots = 64;

  explicit DigestEngine(std::uint32_t chunk_frames)
      : chunk_frames_(chunk_frames), samples_(kSlots), next_frames_(kSlots, -1) {}

  RenderReport render(const StationChunk* batch, std::size_t count) override {
    REQUIRE(count <= kSlots);
    if (clock != nullptr) clock->now += static_cast<std::int64_t>(count) * chunk_takes_ns;
    for (std::size_t i = 0; i < count; ++i) render_one(batch + i, samples_[i]);
    return {1'000'000, voices_dropped};
  }
  const std::int16_t* samples(std::size_t index) const override { return samples_[index].data(); }
  const float* mix(std::size_t) const override { return nullptr; }
  std::int64_t next_frame(std::size_t station) const override { return next_frames_[station]; }
  void forget(std::size_t station) override {
    next_frames_[station] = -1;
    ++forgotten;
  }
  EngineInfo info() const override { return {"digest", "device \xc3\xa9", type}; }
  std::size_t device_bytes() const override { return 3 << 20; }

  DeviceType type = DeviceType::kCpu;
  ManualClock* clock = nullptr;  // advanced by the simulated rendering time
  std::int64_t chunk_takes_ns = 0;
  int forgotten = 0;
  std::size_t voices_dropped = 0;  // reported for each batch
  StationChunk last;
  std::optional<std::int64_t> fail_at;  // first frame of the chunk whose rendering fails
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

// Native engine that can lose its device.
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
  EngineInfo info() const override { return native_.info(); }
  std::size_t device_bytes() const override { return native_.device_bytes(); }

 private:
  std::int64_t lost_at_;
  NativeEngine native_{{}, 1};
};

// The metrics of synthd that readers of `folder` see, by name; of several series the last.
inline std::map<std::string, MetricSample> shown_metrics(const TempDir& folder) {
  MetricsReader reader(folder.path());
  reader.refresh();
  std::vector<MetricSample> samples;
  reader.read(samples);
  std::map<std::string, MetricSample> shown;
  for (auto& sample : samples) shown[sample.spec.name] = std::move(sample);
  return shown;
}

inline const std::vector<StationConfig> one_station{{"garden", 7, kPresets[0].parameters, true}};
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

  // Runs one step, then moves the clock to the time of the next one.
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

  StationId station_id(std::size_t index) const { return {index, reader.generation(index)}; }
  StationId garden() const { return station_id(0); }

  // Name of the station at that index; empty: none.
  std::string name(std::size_t index) const {
    const auto state = reader.state(station_id(index));
    return state ? state->name : "";
  }
  // Chunks that the ring of that index holds.
  Chunks ring(std::size_t index) const {
    Chunks result;
    std::vector<std::int16_t> samples(reader.timeline().chunk_samples());
    const std::int64_t newest = reader.newest(station_id(index)).value_or(-1);
    for (std::int64_t chunk = newest - kSlots; chunk <= newest; ++chunk) {
      if (chunk >= 0 && reader.read(station_id(index), chunk, samples.data()) == RingRead::kChunk) {
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

// Makes a request to change the garden's parameters.
inline ControlRequest request(const Life& life, std::uint64_t number, const MusicParameters& parameters) {
  ControlRequest result;
  result.number = number;
  result.generation = life.garden().generation;
  result.history.count = 1;
  result.history.changes[0].parameters = parameters;
  return result;
}

// Makes a request to open a personal station at `index`.
inline ControlRequest opening(const Life& life, std::size_t index, std::uint64_t number = 1) {
  ControlRequest result;
  result.action = ControlAction::kOpen;
  result.number = number;
  result.generation = life.station_id(index).generation + 1;
  std::string("p1").copy(result.station, kStationNameBytes - 1);
  result.seed = 5;
  result.chunk = 70;
  result.history.count = 2;
  result.history.changes[0].parameters = kPresets[3].parameters;
  result.history.changes[1] = {65, kPresets[2].parameters};
  return result;
}

struct Fixture {
  TempDir folder;
  ManualClock clock;
  DigestEngine engine{4'410};
  Chunks chunks;
};

}  // namespace auralis::test
