// SPDX-License-Identifier: MIT
// An engine that outlives its device: when the first one fails in the middle of playing, another takes its
// place for good.
#pragma once

#include <memory>

#include "synthd/engine/engine.h"

namespace auralis {

// The first engine failed, and is replaced: nothing of this batch was rendered. The slots of the new one hold
// nothing yet (next_frame() is -1): bring them to where they were, and render the batch again.
struct EngineReplaced : EngineError {
  using EngineError::EngineError;
};

// One thread.
class FailoverEngine final : public Engine {
 public:
  // Both of the same shape; made beforehand, so that no memory is taken when it is least wanted.
  FailoverEngine(std::unique_ptr<Engine> first, std::unique_ptr<Engine> second);

  // Throws EngineReplaced once; what the second throws goes through.
  RenderReport render(const StationChunk* batch, std::size_t count) override;
  const std::int16_t* samples(std::size_t index) const override { return engine_->samples(index); }
  const float* mix(std::size_t index) const override { return engine_->mix(index); }
  std::int64_t next_frame(std::size_t slot) const override { return engine_->next_frame(slot); }
  void forget(std::size_t slot) override { engine_->forget(slot); }
  std::size_t device_bytes() const override { return engine_->device_bytes(); }

 private:
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Engine> spare_;  // null once it is engine_
};

}  // namespace auralis
