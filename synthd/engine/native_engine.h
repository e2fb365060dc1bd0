// SPDX-License-Identifier: MIT
// The engine on the processor: the stages compiled for the best instructions that it has, the stations of a
// batch spread over threads.
#pragma once

#include <memory>
#include <vector>

#include "synthd/engine/engine.h"
#include "synthd/engine/stages.h"

namespace auralis {

// The sets of instructions that this build has and this processor can run, the fastest first; the baseline is
// always the last. Those with fused multiply-add give the same samples, bit for bit.
std::vector<Stages<float>> native_stages();

// Starts threads of its own if there are several stations.
class NativeEngine final : public Engine {
 public:
  // `threads` counts the caller's; at least 1.
  NativeEngine(const EngineShape& shape, std::size_t threads,
               const Stages<float>& stages = native_stages().front());
  ~NativeEngine() override;

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
