// SPDX-License-Identifier: MIT
// Measures the cost of rendering. Names are `what/how[/stations]`; the metrics are counters:
//
//   pad_patch/<set>, lead/<set>, kick/<set>, swell/<set>   ns_per_voice_sample, for curves and blocks
//   reverb/<set>, finish/<set>                             ns_per_frame
//   compose_bar/<number of the bar>                        us_per_bar, for the preset with the most notes
//   stations/<engine>/<n>                                  real_time: speed as a multiple of real time;
//                                                          stations_in_real_time; bytes_per_station
//   chunk_latency/<engine>                                 p50_ms and p99_ms of one station's chunk
//
// The pad patch is that of bench/peers: 256 voices, each a sine and a saw 5 cents above it at a quarter of
// its level, with tremolo, envelope and panning.
#include <benchmark/benchmark.h>

#include <time.h>
#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/music/timeline.h"
#include "synthd/composer/composer.h"
#include "synthd/engine/device.h"
#include "synthd/engine/native_engine.h"
#include "synthd/engine/opencl_engine.h"
#include "synthd/engine/stage_memory.h"
#include "synthd/engine/voice_pack.h"
#include "synthd/station.h"

namespace auralis {
namespace {

constexpr std::int64_t kFirstChunk = 300;  // by then all presets have settled

// Input of the stages of an instruction set: `count` tones of a type that have sounded for `age_frames`.
struct StageInput {
  EngineShape shape;
  DspShape dsp;
  PackedStation station{};
  std::vector<PackedVoice> voices;
  StageMemory<float> curves;
  StageMemory<float> bus;
  StageMemory<float> reverbs;
  std::vector<std::int16_t> samples;

  StageInput(VoiceType type, std::size_t tones, std::int64_t age_frames) {
    shape.voices = tones;
    dsp = dsp_shape(shape);
    voices.resize(tones);
    curves.resize(curve_words(dsp));
    bus.resize(kBlockBusWords);
    reverbs.resize(reverb_words(dsp));
    samples.resize(std::size_t{shape.chunk_frames} * 2);
    std::vector<Voice> played;
    const std::size_t tones_a_voice = type == VoiceType::kPad ? 2 : 1;
    for (std::size_t i = 0; i < tones / tones_a_voice; ++i) {
      Voice voice;
      voice.type = type;
      voice.gate_frames = 20 * 44'100;
      voice.phase_increment = type == VoiceType::kKick
                                  ? phase_increment(28, 44'100)
                                  : phase_increment(36 + static_cast<int>(i % 37), 44'100);
      voice.seed = static_cast<std::uint32_t>(i);
      voice.gain = 0.01F;
      voice.pan = static_cast<float>(i % 11) / 5 - 1;
      played.push_back(voice);
    }
    StationChunk chunk;
    chunk.first_frame = age_frames;
    chunk.voices = played.data();
    chunk.voice_count = played.size();
    chunk.gains_start = chunk.gains_end = {1, 1, 1, 1};
    VoicePacker(shape).pack(chunk, voices.data(), station);
  }
};

void bench_voices(benchmark::State& state, const Stages<float>& set, VoiceType type, std::size_t tones,
                  std::int64_t age_frames) {
  StageInput in(type, tones, age_frames);
  for (auto _ : state) {
    set.curves(&in.dsp, &in.station, in.voices.data(), in.curves.data());
    for_each_block(in.dsp, in.station, [&](std::uint32_t block, std::uint32_t, std::uint32_t) {
      set.block(&in.dsp, &in.station, in.voices.data(), in.curves.data(), in.bus.data(), block);
    });
    benchmark::ClobberMemory();
  }
  const double samples = static_cast<double>(in.station.ends[kGroups - 1]) * in.shape.chunk_frames;
  state.counters["ns_per_voice_sample"] = benchmark::Counter(
      samples * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

using FrameStage = std::function<void(StageInput&, std::uint32_t begin, std::uint32_t end)>;

void bench_frames(benchmark::State& state, const FrameStage& stage) {
  StageInput in(VoiceType::kPad, 16, 5 * 44'100);
  for (auto _ : state) {
    for_each_block(in.dsp, in.station,
                   [&](std::uint32_t, std::uint32_t begin, std::uint32_t end) { stage(in, begin, end); });
    benchmark::ClobberMemory();
  }
  state.counters["ns_per_frame"] =
      benchmark::Counter(in.shape.chunk_frames * 1e-9,
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void bench_compose(benchmark::State& state, std::int64_t index) {
  const MusicParameters& parameters = find_preset("bright")->parameters;
  constexpr std::uint32_t kRate = 44'100;
  BarRecord bar;
  bar.frames = bar_frames(parameters.bpm, kRate);
  bar.parameters = parameters;
  std::int64_t composed = 0;
  for (auto _ : state) {
    bar.index = index + composed++ % 1'024;
    bar.start_frame = bar.index * bar.frames;
    benchmark::DoNotOptimize(compose_bar(1, bar, kRate));
  }
  state.counters["us_per_bar"] =
      benchmark::Counter(1e-6, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

using MakeEngine = std::function<std::unique_ptr<Engine>(const EngineShape&)>;

// Stations with default settings that cycle through the presets.
struct Playing {
  Timeline timeline;
  std::unique_ptr<Engine> engine;
  std::vector<Station> stations;
  std::vector<StationChunk> batch;
  std::int64_t chunk = kFirstChunk;

  Playing(const MakeEngine& make, std::size_t count) {
    EngineShape shape;
    shape.stations = count;
    engine = make(shape);
    for (std::size_t i = 0; i < count; ++i) {
      stations.emplace_back(i, timeline, begun_with(kPresets[i % kPresets.size()].parameters));
    }
    // Warm-up: the first chunk of a station clears its reverbs and faults in its memory.
    prepare();
    engine->render(batch.data(), count);
  }

  void prepare() {
    batch.clear();
    for (std::size_t i = 0; i < stations.size(); ++i) {
      batch.push_back(stations[i].prepare(chunk));
      batch.back().station = i;
    }
    ++chunk;
  }
};

void bench_stations(benchmark::State& state, const MakeEngine& make) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Playing playing(make, count);
  double seconds = 0;
  for (auto _ : state) {
    playing.prepare();  // not measured: composer and station are not part of the engine
    const auto begin = std::chrono::steady_clock::now();
    playing.engine->render(playing.batch.data(), count);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    state.SetIterationTime(took.count());
    seconds += took.count();
  }
  const double music_seconds = static_cast<double>(state.iterations()) * 0.1;
  state.counters["real_time"] = music_seconds / seconds;
  state.counters["stations_in_real_time"] = static_cast<double>(count) * music_seconds / seconds;
  state.counters["bytes_per_station"] =
      static_cast<double>(playing.engine->device_bytes()) / static_cast<double>(count);
}

void bench_latency(benchmark::State& state, const MakeEngine& make) {
  Playing playing(make, 1);
  std::vector<double> milliseconds;
  for (auto _ : state) {
    playing.prepare();
    const auto begin = std::chrono::steady_clock::now();
    playing.engine->render(playing.batch.data(), 1);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    state.SetIterationTime(took.count());
    milliseconds.push_back(took.count() * 1e3);
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto at = [&](double share) {
    return milliseconds.at(static_cast<std::size_t>(share * static_cast<double>(milliseconds.size() - 1)));
  };
  state.counters["p50_ms"] = at(0.5);
  state.counters["p99_ms"] = at(0.99);
}

void register_sets() {
  for (const Stages<float>& set : native_stages()) {
    const std::string name = set.name;
    const auto voices = [&](const char* what, VoiceType type, std::size_t tones, std::int64_t age_frames) {
      benchmark::RegisterBenchmark((what + ("/" + name)).c_str(), [=](benchmark::State& state) {
        bench_voices(state, set, type, tones, age_frames);
      });
    };
    voices("pad_patch", VoiceType::kPad, 256, 5 * 44'100);
    voices("lead", VoiceType::kLead, 16, 44'100);
    voices("kick", VoiceType::kKick, 16, 4'410);
    voices("swell", VoiceType::kSwell, 16, 5 * 44'100);
    const auto frames = [&](const char* what, const FrameStage& stage) {
      benchmark::RegisterBenchmark((what + ("/" + name)).c_str(),
                                   [=](benchmark::State& state) { bench_frames(state, stage); });
    };
    frames("reverb", [set](StageInput& in, std::uint32_t begin, std::uint32_t end) {
      set.reverb(&in.dsp, &in.station, in.bus.data(), in.reverbs.data(), begin, end);
    });
    frames("finish", [set](StageInput& in, std::uint32_t begin, std::uint32_t end) {
      set.samples(&in.station, in.bus.data(), in.samples.data(), begin, end);
    });
  }
}

void register_composer() {
  for (const std::int64_t index : {1, 1'000'000}) {
    benchmark::RegisterBenchmark(("compose_bar/" + std::to_string(index)).c_str(),
                                 [=](benchmark::State& state) { bench_compose(state, index); });
  }
}

void register_engine(const std::string& name, const MakeEngine& make) {
  auto* stations = benchmark::RegisterBenchmark(
      ("stations/" + name).c_str(), [make](benchmark::State& state) { bench_stations(state, make); });
  stations->RangeMultiplier(8)->Range(1, 4'096)->UseManualTime()->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark(("chunk_latency/" + name).c_str(),
                               [make](benchmark::State& state) { bench_latency(state, make); })
      ->UseManualTime()
      ->Iterations(2'000)
      ->Unit(benchmark::kMillisecond);
}

void register_engines() {
  const std::size_t all = std::max(1U, std::thread::hardware_concurrency());
  for (const std::size_t threads : {std::size_t{1}, all}) {
    register_engine("native-" + std::to_string(threads) + "-threads", [threads](const EngineShape& shape) {
      return std::make_unique<NativeEngine>(shape, threads);
    });
    if (all == 1) break;
  }
  prepare_opencl_environment(std::filesystem::temp_directory_path() / "auralis-pocl-cache");
  const auto devices = opencl_devices();
  for (std::size_t device = 0; device < devices.size(); ++device) {
    std::string name = devices[device].name;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == ' ' || c == '/'; }, '-');
    register_engine("opencl-" + name, [device](const EngineShape& shape) {
      return std::make_unique<OpenClEngine>(device, shape);
    });
  }
}

}  // namespace
}  // namespace auralis

int main(int argc, char** argv) {
  auralis::register_sets();
  auralis::register_composer();
  auralis::register_engines();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
