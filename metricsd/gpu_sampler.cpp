// SPDX-License-Identifier: MIT
#include "metricsd/gpu_sampler.h"

#include <condition_variable>
#include <thread>
#include <utility>

#include "common/base/mutex.h"
#include "metricsd/amdgpu.h"
#include "metricsd/nvml.h"

namespace auralis {

struct GpuSampler::State {
  State(const Clock& c, GpuSources s) : clock(c), sources(std::move(s)) {}

  const Clock& clock;
  const GpuSources sources;
  Mutex mutex;
  std::condition_variable changed;
  std::string device AURALIS_GUARDED_BY(mutex);
  std::optional<GpuReading> reading AURALIS_GUARDED_BY(mutex);
  std::int64_t read_ns AURALIS_GUARDED_BY(mutex) = 0;
  bool stopping AURALIS_GUARDED_BY(mutex) = false;
  bool ended AURALIS_GUARDED_BY(mutex) = false;

  std::unique_ptr<Nvml> nvml;  // the thread's

  void run() {
    MutexLock lock(mutex);
    while (!stopping) {
      const std::string wanted = device;
      lock.unlock();
      auto read_now = wanted.empty() ? std::nullopt : read(wanted);
      lock.lock();
      if (stopping) break;  // the clock may be gone
      if (device != wanted) continue;
      reading = std::move(read_now);
      read_ns = clock.now_ns();
      const auto wake = std::chrono::steady_clock::now() + sources.period;
      while (!stopping && device == wanted && lock.wait_until(changed, wake)) continue;
    }
    lock.unlock();
    nvml.reset();
    lock.lock();
    ended = true;
    changed.notify_all();
  }

  std::optional<GpuReading> read(const std::string& name) {
    if (!nvml) nvml = Nvml::load(sources.nvml);
    if (nvml) {
      if (auto found = nvml->read(name)) return found;
      if (nvml->devices() == 0) nvml.reset();  // the driver may have been loaded again
    }
    return is_amd_name(name) ? read_amdgpu(sources.sys) : std::nullopt;
  }
};

GpuSampler::GpuSampler(const Clock& clock, GpuSources sources)
    : state_(std::make_shared<State>(clock, std::move(sources))) {}

GpuSampler::~GpuSampler() {
  if (!started_) return;
  MutexLock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!state_->ended && lock.wait_until(state_->changed, until)) continue;
}

void GpuSampler::watch(const std::string& device) {
  if (device.empty() && !started_) return;
  {
    const MutexLock lock(state_->mutex);
    if (state_->device == device) return;
    state_->device = device;
    state_->reading.reset();
  }
  state_->changed.notify_all();
  if (!std::exchange(started_, true)) std::thread([state = state_] { state->run(); }).detach();
}

std::optional<GpuReading> GpuSampler::latest() const {
  const MutexLock lock(state_->mutex);
  if (state_->clock.now_ns() - state_->read_ns > kStaleNs) return std::nullopt;
  return state_->reading;
}

}  // namespace auralis
