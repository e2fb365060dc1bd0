// SPDX-License-Identifier: MIT
#include "synthd/engine/native_engine.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <thread>

#include "common/base/mutex.h"
#include "common/base/thread_checker.h"
#include "synthd/engine/stage_memory.h"
#include "synthd/engine/voice_pack.h"

namespace auralis {

std::vector<Stages<float>> native_stages() {
  std::vector<Stages<float>> sets;
#ifdef AURALIS_X86_SETS
  // Check every extension that GCC may use with -march=x86-64-v4 and -v3.
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  if (avx512) sets.push_back(native_avx512_stages());
  if (avx2) sets.push_back(native_avx2_stages());
#endif
  sets.push_back(native_baseline_stages());
  return sets;
}

namespace {

// Working memory of a thread that renders a chunk, apart from the station's reverbs. Aligned to a cache line
// to avoid false sharing: all of it is written constantly.
struct alignas(64) Bench {
  VoicePacker packer;
  std::vector<PackedVoice> voices;
  StageMemory<float> curves;
  StageMemory<float> bus;
  PackedStation station{};

  Bench(const EngineShape& shape, const DspShape& dsp)
      : packer(shape), voices(shape.voices), curves(curve_words(dsp)), bus(kBlockBusWords) {}
};

}  // namespace

struct NativeEngine::Impl {
  EngineShape shape;
  DspShape dsp;
  Stages<float> stages;
  StationPositions positions;
  StageMemory<float> reverbs;  // of all stations
  StageMemory<std::int16_t> samples;
  StageMemory<float> mixes;
  std::vector<std::uint8_t> restarted;  // by index in the batch: 1 if the reverbs must be cleared
  std::vector<Bench> benches;           // one per thread, the caller's first

  // Current batch. Threads take its chunks one by one.
  const StationChunk* batch = nullptr;
  std::size_t count = 0;
  std::atomic<std::size_t> taken{0};
  std::atomic<std::size_t> dropped{0};

  Mutex mutex;
  std::condition_variable changed;
  std::uint64_t round AURALIS_GUARDED_BY(mutex) = 0;  // batches started
  std::size_t working AURALIS_GUARDED_BY(mutex) = 0;  // threads that have not finished the current batch
  bool stopping AURALIS_GUARDED_BY(mutex) = false;
  std::vector<std::thread> threads;
  ThreadChecker caller;  // thread of render()

  Impl(const EngineShape& s, std::size_t thread_count, const Stages<float>& chosen)
      : shape(s),
        dsp(dsp_shape(s)),
        stages(chosen),
        positions(s),
        reverbs(s.stations * reverb_words(dsp)),
        samples(s.float_mix ? 0 : s.stations * s.chunk_frames * 2),
        mixes(s.float_mix ? s.stations * s.chunk_frames * 2 : 0),
        restarted(s.stations) {
    const std::size_t useful = std::clamp<std::size_t>(thread_count, 1, s.stations);
    benches.reserve(useful);
    for (std::size_t i = 0; i < useful; ++i) benches.emplace_back(s, dsp);
    for (std::size_t i = 1; i < useful; ++i) threads.emplace_back([this, i] { work(benches[i]); });
  }

  ~Impl() {
    {
      const MutexLock lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    for (auto& thread : threads) thread.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void work(Bench& bench) {
    std::uint64_t seen = 0;
    MutexLock lock(mutex);
    for (;;) {
      while (!stopping && round == seen) lock.wait(changed);
      if (stopping) return;
      seen = round;
      lock.unlock();
      render_taken(bench);
      lock.lock();
      if (--working == 0) changed.notify_all();
    }
  }

  void render_taken(Bench& bench) {
    for (std::size_t i = taken++; i < count; i = taken++) render_one(bench, i);
  }

  void render_one(Bench& bench, std::size_t index) {
    const StationChunk& chunk = batch[index];
    dropped += bench.packer.pack(chunk, bench.voices.data(), bench.station);
    bench.station.reverb_clear = restarted[index];
    const std::size_t place = index * shape.chunk_frames * 2;
    const auto finish = [&](std::uint32_t begin, std::uint32_t end) {
      if (shape.float_mix) {
        stages.mix(&bench.station, bench.bus.data(), &mixes[place], begin, end);
      } else {
        stages.samples(&bench.station, bench.bus.data(), &samples[place], begin, end);
      }
    };
    render_chunk(stages, dsp, bench.station, bench.voices.data(), bench.curves.data(), bench.bus.data(),
                 &reverbs[chunk.station * reverb_words(dsp)], finish);
  }

  void render(const StationChunk* chunks, std::size_t chunk_count) {
    batch = chunks;
    count = chunk_count;
    taken = 0;
    dropped = 0;
    for (std::size_t i = 0; i < count; ++i) restarted[i] = positions.advance(batch[i]) ? 1 : 0;
    const bool together = !threads.empty() && count > 1;
    if (together) {
      const MutexLock lock(mutex);
      working = threads.size();
      ++round;
    }
    if (together) changed.notify_all();
    render_taken(benches.front());
    if (!together) return;
    MutexLock lock(mutex);
    while (working != 0) lock.wait(changed);
  }
};

NativeEngine::NativeEngine(const EngineShape& shape, std::size_t threads, const Stages<float>& stages)
    : impl_(std::make_unique<Impl>(shape, threads, stages)) {}
NativeEngine::~NativeEngine() = default;

RenderReport NativeEngine::render(const StationChunk* batch, std::size_t count) {
  assert(impl_->caller.is_current());
  assert(is_batch(impl_->shape, batch, count));
  const auto begin = std::chrono::steady_clock::now();
  impl_->render(batch, count);
  RenderReport report;
  report.device_busy_ns = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
  report.voices_dropped = impl_->dropped;
  return report;
}

const std::int16_t* NativeEngine::samples(std::size_t index) const {
  return &impl_->samples.at(index * impl_->shape.chunk_frames * 2);
}

const float* NativeEngine::mix(std::size_t index) const {
  return &impl_->mixes.at(index * impl_->shape.chunk_frames * 2);
}

std::int64_t NativeEngine::next_frame(std::size_t station) const {
  return impl_->positions.next_frame(station);
}
void NativeEngine::forget(std::size_t station) { impl_->positions.forget(station); }

EngineInfo NativeEngine::info() const {
  return {"native", std::string(impl_->stages.name), DeviceType::kCpu};
}

std::size_t NativeEngine::device_bytes() const {
  const std::size_t a_bench =
      impl_->shape.voices * sizeof(PackedVoice) +
      sizeof(float) * (impl_->benches.front().curves.size() + impl_->benches.front().bus.size());
  return sizeof(float) * (impl_->reverbs.size() + impl_->mixes.size()) +
         sizeof(std::int16_t) * impl_->samples.size() + impl_->benches.size() * a_bench;
}

}  // namespace auralis
