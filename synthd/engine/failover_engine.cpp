// SPDX-License-Identifier: MIT
#include "synthd/engine/failover_engine.h"

#include <cassert>
#include <string>
#include <utility>

#include "common/base/log.h"

namespace auralis {

FailoverEngine::FailoverEngine(std::unique_ptr<Engine> first, std::unique_ptr<Engine> second)
    : engine_(std::move(first)), spare_(std::move(second)) {}

RenderReport FailoverEngine::render(const StationChunk* batch, std::size_t count) {
  assert(caller_.is_current());
  try {
    return engine_->render(batch, count);
  } catch (const EngineError& error) {
    if (!spare_) throw;
    log_error("device failed: rendering with the native engine until the next start",
              {{"error", std::string(error.what())}});
    // Destroy the failed engine: its memory is useless, and its driver must not be called again.
    engine_ = std::move(spare_);
    throw EngineReplaced(error.what());
  }
}

}  // namespace auralis
