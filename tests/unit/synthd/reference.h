// SPDX-License-Identifier: MIT
// The formulas of synthd/engine/dsp in double precision, from the same headers: what every engine
// approximates. A fault of the formulas themselves is also its own. One thread.
#pragma once

#include <memory>
#include <vector>

#include "synthd/engine/engine.h"

namespace auralis::test {

class Reference {
 public:
  // Of one station.
  explicit Reference(const EngineShape& shape);
  ~Reference();

  // The chunk before dither: chunk_frames * 2 values, interleaved, valid until the next call.
  const std::vector<double>& render(const StationChunk& chunk);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis::test
