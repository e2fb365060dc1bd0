// SPDX-License-Identifier: MIT
#include "streamd/paced_delivery.h"

#include <algorithm>
#include <utility>

namespace auralis {

PacedDelivery::PacedDelivery(ChunkPump& pump, const Audience& audience, const Clock& clock, Send send)
    : pump_(pump), audience_(audience), clock_(clock), send_(std::move(send)) {}

std::int64_t PacedDelivery::step() {
  for (;;) {
    if (!pump_.has_timeline()) return clock_.now_ns() + kIdleNs;
    // The pump stands elsewhere: it has found another timeline.
    if (turn_ != pump_.turn()) turn_.reset();
    if (turn_) {
      const std::uint32_t busy = audience_.next_busy_slot(next_slot_);
      if (busy < kSlots) {
        if (clock_.now_ns() < due_ns(busy)) break;
        next_slot_ = busy + 1;
        deliver(busy);
        continue;
      }
    }
    if (clock_.now_ns() < pump_.next_ns()) break;
    pump_.begin_turn();
    turn_ = pump_.turn();
    next_slot_ = 0;
  }
  if (!turn_) return pump_.next_ns();
  // A slot that was due while nobody was in it is over. One with listeners is not, even if its moment has
  // come since it was looked at.
  const std::uint32_t busy = audience_.next_busy_slot(next_slot_);
  while (next_slot_ < busy && due_ns(next_slot_) <= clock_.now_ns()) ++next_slot_;
  return busy < kSlots ? due_ns(busy) : pump_.next_ns();
}

std::int64_t PacedDelivery::due_ns(std::uint32_t slot) const {
  const Timeline& timeline = pump_.timeline();
  return timeline.due_ns(*turn_ - 1) + timeline.chunk_ns() * slot / kSlots;
}

void PacedDelivery::deliver(std::uint32_t slot) {
  const std::vector<Audience::Need> needs = audience_.needs_of(slot);
  for (auto need = needs.begin(); need != needs.end();) {
    const std::size_t lane = need->lane;
    Delivery delivery{slot, due_ns(slot), {}};
    for (; need != needs.end() && need->lane == lane; ++need)
      delivery.stations.push_back(pump_.take(need->station, need->formats));
    send_(lane, std::move(delivery));
  }
}

std::optional<std::int64_t> PacedDelivery::next_chunk(std::uint32_t slot) const {
  if (!turn_) return std::nullopt;
  return slot < next_slot_ ? *turn_ + 1 : *turn_;
}

std::vector<AudioMessagePtr> PacedDelivery::prefill(const StationPlace& station, std::uint32_t slot,
                                                    WireFormat format, std::int64_t count) const {
  std::vector<AudioMessagePtr> chunks;
  const auto end = next_chunk(slot);
  if (!end) return chunks;
  for (std::int64_t seq = *end - count; seq < *end; ++seq) {
    if (AudioMessagePtr chunk = pump_.recent(station, seq, format)) {
      chunks.push_back(std::move(chunk));
    } else {
      chunks.clear();
    }
  }
  return chunks;
}

}  // namespace auralis
