// SPDX-License-Identifier: MIT
#include "streamd/paced_delivery.h"

#include <algorithm>

namespace auralis {

namespace {

// Ticks of about 10 ms.
std::uint32_t phases_of(const Timeline& timeline) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(1, timeline.chunk_ns() / (10 * kNsPerMs)));
}

}  // namespace

PacedDelivery::PacedDelivery(ChunkPump& pump, Hub& hub, const Clock& clock)
    : pump_(pump), hub_(hub), clock_(clock) {}

std::int64_t PacedDelivery::step() {
  for (;;) {
    if (!pump_.has_timeline()) return clock_.now_ns() + kIdleNs;
    const Timeline& timeline = pump_.timeline();
    const std::uint32_t phases = phases_of(timeline);
    if (hub_.phases() != phases) hub_.set_phases(phases);
    // The pump stands elsewhere: it has found another timeline.
    if (turn_ != pump_.turn()) {
      turn_.reset();
      next_phase_ = 0;
    }
    if (next_phase_ == 0) {
      if (clock_.now_ns() < pump_.next_ns()) return pump_.next_ns();
      const bool in_time = pump_.begin_turn();
      turn_ = pump_.turn();
      if (!in_time) continue;
    }
    const std::int64_t window_ns = timeline.due_ns(*turn_ - 1);
    const std::int64_t due_ns = window_ns + timeline.chunk_ns() * next_phase_ / phases;
    if (clock_.now_ns() < due_ns) return due_ns;
    hub_.deliver([this](const StationPlace& station) { return pump_.take(station); }, next_phase_, due_ns);
    next_phase_ = (next_phase_ + 1) % phases;
  }
}

std::vector<OutgoingChunkPtr> PacedDelivery::prefill(const StationPlace& station, std::uint32_t phase,
                                                     std::int64_t count) const {
  std::vector<OutgoingChunkPtr> chunks;
  if (!turn_) return chunks;
  // A phase whose turn for the current chunk is over gets the next one next; after the last phase all turns
  // are over.
  const bool turn_is_over = next_phase_ == 0 || phase < next_phase_;
  const std::int64_t end = *turn_ + (turn_is_over ? 1 : 0);
  for (std::int64_t seq = end - count; seq < end; ++seq) {
    if (OutgoingChunkPtr chunk = pump_.recent(station, seq)) {
      chunks.push_back(std::move(chunk));
    } else {
      chunks.clear();
    }
  }
  return chunks;
}

}  // namespace auralis
