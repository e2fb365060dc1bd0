// SPDX-License-Identifier: MIT
// Reads the GPU that synthd renders on, in a thread of its own: a driver that hangs holds up nothing else.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "metricsd/gpu_reading.h"

namespace auralis {

// Where GPUs are read; a test replaces it.
struct GpuSources {
  std::string nvml = "libnvidia-ml.so.1";
  std::filesystem::path sys = "/sys";
  std::chrono::milliseconds period{5'000};
};

// One thread at a time.
class GpuSampler {
 public:
  // `clock` outlives it.
  explicit GpuSampler(const Clock& clock, GpuSources sources = {});
  // Waits for a reading that is in progress, but at most kPatience: then its thread is left to itself.
  ~GpuSampler();
  GpuSampler(const GpuSampler&) = delete;
  GpuSampler& operator=(const GpuSampler&) = delete;

  // The name of the GPU to read, as OpenCL says it; empty: none. Starts the thread at the first name.
  void watch(const std::string& device);

  // The newest reading of that GPU; nothing if there is none, or it is older than kStaleNs.
  std::optional<GpuReading> latest() const;

  static constexpr std::int64_t kStaleNs = 15 * kNsPerSecond;
  static constexpr std::chrono::seconds kPatience{2};

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the thread
  bool started_ = false;
};

}  // namespace auralis
