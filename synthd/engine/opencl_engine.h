// SPDX-License-Identifier: MIT
// Engine on an OpenCL 1.2 device: compiles the embedded files of dsp/. Only opencl_*.cpp and opencl_support.h
// include OpenCL.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "synthd/engine/device.h"
#include "synthd/engine/engine.h"

namespace auralis {

// Sets PoCL's environment variables that are not set yet: the cache folder for compiled kernels (the
// service's cache, the user's, or `fallback`), one processor fewer than there are, no kernels specialised by
// size. Call before any other function here and before other threads read the environment. Drivers may
// replace signal handlers: block signals first.
void prepare_opencl_environment(const std::filesystem::path& fallback);

// Returns all devices of all platforms, in the drivers' order; empty if there are none. Throws EngineError.
std::vector<DeviceInfo> opencl_devices();

class OpenClEngine final : public Engine {
 public:
  // `device` is an index in opencl_devices(). Compiles the kernels and runs each once, so that the first
  // chunk is as fast as later ones. `lanes` is the work-group size, 1 or kTileFrames; the default is 1 on a
  // CPU, where the compiler vectorises the loops of one work item, else kTileFrames. Throws EngineError.
  OpenClEngine(std::size_t device, const EngineShape& shape, std::optional<std::size_t> lanes = std::nullopt);
  ~OpenClEngine() override;

  RenderReport render(const StationChunk* batch, std::size_t count) override;
  const std::int16_t* samples(std::size_t index) const override;
  const float* mix(std::size_t index) const override;
  std::int64_t next_frame(std::size_t station) const override;
  void forget(std::size_t station) override;
  EngineInfo info() const override;
  std::size_t device_bytes() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
