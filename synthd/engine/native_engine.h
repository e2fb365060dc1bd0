// SPDX-License-Identifier: MIT
// Engine on the CPU: the stages compiled for its best instruction set, with the stations of a batch spread
// over threads.
#pragma once

#include <memory>
#include <vector>

#include "synthd/engine/engine.h"
#include "synthd/engine/stages.h"

namespace auralis {

// Returns the instruction sets that this build contains and this processor supports, the fastest first and
// the baseline last. All sets with fused multiply-add give bit-identical samples.
std::vector<Stages<float>> native_stages();

// Starts its own threads if there are several stations.
class NativeEngine final : public Engine {
 public:
  // `threads` includes the caller's; at least 1.
  NativeEngine(const EngineShape& shape, std::size_t threads,
               const Stages<float>& stages = native_stages().front());
  ~NativeEngine() override;

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
