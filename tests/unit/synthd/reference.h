// SPDX-License-Identifier: MIT
// Reference engine: the formulas of synthd/engine/dsp in double precision, compiled from the same headers. It
// shares faults of the formulas themselves. One thread.
#pragma once

#include <memory>
#include <vector>

#include "synthd/engine/engine.h"

namespace auralis::test {

class Reference {
 public:
  // Renders one station.
  explicit Reference(const EngineShape& shape);
  ~Reference();

  // Returns the chunk before dithering: chunk_frames * 2 values, interleaved, valid until the next call.
  const std::vector<double>& render(const StationChunk& chunk);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis::test
