// SPDX-License-Identifier: MIT
// The engine on an OpenCL 1.2 device: the files of dsp/, embedded. No other file of the project sees
// OpenCL.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "synthd/engine/device.h"
#include "synthd/engine/engine.h"

namespace auralis {

// Sets what PoCL wants to find in the environment, where it is not set: a folder for its compiled kernels
// (the service's cache, the user's, or `fallback`), one processor fewer than there are, no kernels for
// special sizes. Before any other call here and before other threads read the environment. Drivers may also
// replace signal handlers: block signals first.
void prepare_opencl_environment(const std::filesystem::path& fallback);

// All devices of all platforms, in the order of the drivers; empty where there is none. Throws EngineError.
std::vector<DeviceInfo> opencl_devices();

class OpenClEngine final : public Engine {
 public:
  // Device `device` of opencl_devices(). Compiles and runs the kernels once, so that the first chunk is as
  // fast as any. `lanes` are the work items of a group, 1 or kTileFrames; as suits the device if not told: a
  // processor's item is a vector of its own, whose loops the compiler vectorises. Throws EngineError.
  OpenClEngine(std::size_t device, const EngineShape& shape, std::optional<std::size_t> lanes = std::nullopt);
  ~OpenClEngine() override;

  RenderReport render(const StationChunk* batch, std::size_t count) override;
  const std::int16_t* samples(std::size_t index) const override;
  const float* mix(std::size_t index) const override;
  std::int64_t next_frame(std::size_t station) const override;
  void forget(std::size_t station) override;
  std::size_t device_bytes() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
