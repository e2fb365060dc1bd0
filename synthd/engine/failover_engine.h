// SPDX-License-Identifier: MIT
// Engine that survives the loss of its device: if the first engine fails while rendering, a spare replaces it
// permanently.
#pragma once

#include <memory>

#include "common/base/thread_checker.h"
#include "synthd/engine/engine.h"

namespace auralis {

// Reports that the first engine failed and was replaced: nothing of this batch was rendered. The spare has no
// station state (next_frame() is -1): warm up the stations, then render the batch again.
struct EngineReplaced : EngineError {
  using EngineError::EngineError;
};

class FailoverEngine final : public Engine {
 public:
  // Both engines have the same shape. The spare exists from the start, so that failover allocates nothing.
  FailoverEngine(std::unique_ptr<Engine> first, std::unique_ptr<Engine> second);

  // Throws EngineReplaced once; later errors of the spare pass through.
  RenderReport render(const StationChunk* batch, std::size_t count) override;
  const std::int16_t* samples(std::size_t index) const override { return engine_->samples(index); }
  const float* mix(std::size_t index) const override { return engine_->mix(index); }
  std::int64_t next_frame(std::size_t station) const override { return engine_->next_frame(station); }
  void forget(std::size_t station) override { engine_->forget(station); }
  EngineInfo info() const override { return engine_->info(); }
  std::size_t device_bytes() const override { return engine_->device_bytes(); }

 private:
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Engine> spare_;  // null once it is engine_
  ThreadChecker caller_;           // thread of render()
};

}  // namespace auralis
