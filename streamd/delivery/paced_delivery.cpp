// SPDX-License-Identifier: MIT
#include "streamd/delivery/paced_delivery.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace auralis {

PacedDelivery::PacedDelivery(ChunkPump& pump, const Subscriptions& subscriptions, const Clock& clock,
                             Send send)
    : pump_(pump), subscriptions_(subscriptions), clock_(clock), send_(std::move(send)) {}

std::int64_t PacedDelivery::step() {
  assert(thread_.is_current());
  if (!owed_.empty()) deliver_owed();
  const std::int64_t next_ns = deliver_due();
  return owed_.empty() ? next_ns : std::min(next_ns, clock_.now_ns() + kOwedNs);
}

std::int64_t PacedDelivery::deliver_due() {
  for (bool began = false;;) {
    if (!pump_.has_timeline()) return clock_.now_ns() + kIdleNs;
    // The pump found another timeline, or was lapped.
    if (turn_ != pump_.turn()) turn_.reset();
    if (turn_) {
      const std::uint32_t busy = subscriptions_.next_busy_phase(next_phase_);
      if (busy < kPhases) {
        if (clock_.now_ns() < due_ns(busy)) break;
        next_phase_ = busy + 1;
        deliver(busy);
        continue;
      }
    }
    if (clock_.now_ns() < pump_.next_ns()) break;
    // One turn a call: on a machine that cannot keep up, catching up would never end, and starve the thread's
    // other work.
    if (std::exchange(began, true)) return clock_.now_ns();
    pump_.begin_turn();
    turn_ = pump_.turn();
    next_phase_ = 0;
  }
  return next_due_ns();
}

// When the next phase with listeners is due, or else the next turn. Phases before it that were due are over,
// since they had no listeners; one with listeners is not, even if it became due meanwhile.
std::int64_t PacedDelivery::next_due_ns() {
  if (!turn_) return pump_.next_ns();
  const std::uint32_t busy = subscriptions_.next_busy_phase(next_phase_);
  while (next_phase_ < busy && due_ns(next_phase_) <= clock_.now_ns()) ++next_phase_;
  return busy < kPhases ? due_ns(busy) : pump_.next_ns();
}

std::int64_t PacedDelivery::due_ns(std::uint32_t phase) const {
  assert(turn_);
  const Timeline& timeline = pump_.timeline();
  return timeline.due_ns(*turn_ - 1) + timeline.chunk_ns() * phase / kPhases;
}

void PacedDelivery::deliver(std::uint32_t phase) {
  const std::vector<Subscriptions::Need> needs = subscriptions_.needs_of(phase);
  const bool owed_before = !owed_.empty();
  std::vector<Owed> owed;
  std::vector<std::pair<std::size_t, Delivery>> deliveries;
  for (auto need = needs.begin(); need != needs.end();) {
    const std::size_t worker = need->worker;
    Delivery delivery{phase, due_ns(phase), {}};
    for (; need != needs.end() && need->worker == worker; ++need) {
      ChunkPump::Taken taken = pump_.take(need->station, need->formats);
      if (taken.encoding.any())
        owed.push_back({worker, phase, delivery.due_ns, need->station, *turn_, taken.encoding});
      delivery.stations.push_back(std::move(taken.audio));
    }
    deliveries.emplace_back(worker, std::move(delivery));
  }
  // take() may have collected owed chunks, which go before these.
  if (owed_before) deliver_owed();
  for (auto& [worker, delivery] : deliveries) send_(worker, std::move(delivery));
  owed_.insert(owed_.end(), owed.begin(), owed.end());
}

void PacedDelivery::deliver_owed() {
  std::deque<Owed> still;
  for (Owed& one : owed_) {
    ChunkPump::Taken taken = pump_.take_late(one.station, one.chunk, one.formats);
    if (taken.encoding.any()) {
      still.push_back(one);
    } else {
      send_(one.worker, {one.phase, one.due_ns, {std::move(taken.audio)}});
    }
  }
  owed_ = std::move(still);
}

bool PacedDelivery::owes(const StationId& station) const {
  return std::any_of(owed_.begin(), owed_.end(), [&](const Owed& one) { return one.station == station; });
}

void PacedDelivery::drop_owed(const StationId& station) {
  assert(thread_.is_current());
  const auto kept = std::stable_partition(owed_.begin(), owed_.end(),
                                          [&](const Owed& one) { return !(one.station == station); });
  for (auto one = kept; one != owed_.end(); ++one)
    send_(one->worker, {one->phase, one->due_ns, {{one->station, {}, one->chunk, one->formats}}});
  owed_.erase(kept, owed_.end());
}

std::optional<std::int64_t> PacedDelivery::next_chunk(std::uint32_t phase) const {
  if (!turn_) return std::nullopt;
  return phase < next_phase_ ? *turn_ + 1 : *turn_;
}

std::vector<AudioMessagePtr> PacedDelivery::prefill(const StationId& station, std::uint32_t phase,
                                                    WireFormat format, std::int64_t count) const {
  std::vector<AudioMessagePtr> chunks;
  const auto end = next_chunk(phase);
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
