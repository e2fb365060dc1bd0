// SPDX-License-Identifier: MIT
#include "metricsd/hang_losses.h"

#include <algorithm>

namespace auralis {

void HangLosses::note_hang(std::int64_t now_ns, std::int64_t chunk_ns) {
  if (chunk_ns > 0 && now_ns > until_ns_)
    missed_ += listeners_ * static_cast<double>(now_ns - until_ns_) / static_cast<double>(chunk_ns);
  until_ns_ = now_ns;
}

double HangLosses::note_healthy(std::uint64_t generation, std::int64_t heartbeat_ns, double due,
                                double listeners) {
  const double counted = std::max(0.0, due - due_);
  const double lost = generation == generation_ ? 0 : std::max(0.0, missed_ - counted);
  generation_ = generation;
  due_ = due;
  listeners_ = listeners;
  until_ns_ = heartbeat_ns;
  missed_ = 0;
  return lost;
}

}  // namespace auralis
