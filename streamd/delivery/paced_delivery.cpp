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
  // On another timeline, or after a skip: chunks of before are never rendered.
  if (!pump_.turn() || turn_ != pump_.turn()) forget_unrendered();
  if (!owed_.empty()) deliver_owed(std::nullopt);
  const std::int64_t next_ns = deliver_due();
  return owed_.empty() ? next_ns : std::min(next_ns, next_owed_ns());
}

std::int64_t PacedDelivery::next_owed_ns() const {
  const bool encoding = std::any_of(owed_.begin(), owed_.end(), [](const Owed& one) { return one.rendered; });
  return clock_.now_ns() + (encoding ? kOwedNs : kUnrenderedNs);
}

void PacedDelivery::forget_unrendered() {
  owed_.erase(std::remove_if(owed_.begin(), owed_.end(), [](const Owed& one) { return !one.rendered; }),
              owed_.end());
}

void PacedDelivery::move(const StationId& from, const StationId& to) {
  assert(thread_.is_current());
  for (Owed& one : owed_) {
    if (one.station == from) one.station = to;
  }
}

std::int64_t PacedDelivery::deliver_due() {
  for (bool began = false;;) {
    if (!pump_.has_timeline()) return clock_.now_ns() + kIdleNs;
    // The pump found another timeline, or was lapped.
    if (turn_ != pump_.turn()) turn_.reset();
    if (turn_) {
      const std::uint32_t busy = subscriptions_.next_busy_phase(next_phase_);
      if (busy < kPhases) {
        if (clock_.now_ns() < due_ns(busy, *turn_)) break;
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
  while (next_phase_ < busy && due_ns(next_phase_, *turn_) <= clock_.now_ns()) ++next_phase_;
  return busy < kPhases ? due_ns(busy, *turn_) : pump_.next_ns();
}

// The moment of a phase in a turn.
std::int64_t PacedDelivery::due_ns(std::uint32_t phase, std::int64_t turn) const {
  const Timeline& timeline = pump_.timeline();
  return timeline.due_ns(turn - 1) + timeline.chunk_ns() * phase / kPhases;
}

void PacedDelivery::deliver(std::uint32_t phase) {
  const std::vector<Subscriptions::Need> needs = subscriptions_.needs_of(phase);
  const bool owed_before = !owed_.empty();
  std::vector<Owed> owed;
  std::vector<std::pair<std::size_t, Delivery>> deliveries;
  for (auto need = needs.begin(); need != needs.end();) {
    const std::size_t worker = need->worker;
    Delivery delivery{phase, due_ns(phase, *turn_), {}};
    for (; need != needs.end() && need->worker == worker; ++need) {
      ChunkPump::Taken taken = pump_.take(need->station, need->formats, need->lead);
      if (taken.awaited.any())
        owed.push_back({worker, phase, delivery.due_ns, need->station, *turn_ + need->lead, taken.awaited,
                        need->lead, taken.rendered});
      delivery.stations.push_back(std::move(taken.audio));
    }
    deliveries.emplace_back(worker, std::move(delivery));
  }
  // take() may have collected chunks that are owed to the same listeners, which go before these.
  if (owed_before) deliver_owed(phase);
  for (auto& [worker, delivery] : deliveries) send_(worker, std::move(delivery));
  owed_.insert(owed_.end(), owed.begin(), owed.end());
}

// To the listeners of one phase, or to all.
void PacedDelivery::deliver_owed(std::optional<std::uint32_t> phase) {
  std::deque<Owed> still;
  for (Owed& one : owed_) {
    const bool asked = !phase || *phase == one.phase;
    // WHY apart: while synthd is away each listener with a lead is owed some.
    if (!asked || (!one.rendered && !pump_.rendered(one.station, one.chunk))) {
      still.push_back(one);
      continue;
    }
    ChunkPump::Taken taken = pump_.take_late(one.station, one.chunk, one.formats);
    taken.audio.lead = one.lead;
    const bool has_some = taken.awaited != one.formats;
    one.formats = taken.awaited;
    one.rendered = taken.rendered;
    if (one.formats.any()) still.push_back(one);
    if (has_some) send_(one.worker, {one.phase, one.due_ns, {std::move(taken.audio)}});
  }
  owed_ = std::move(still);
}

bool PacedDelivery::owes(const StationId& station) const {
  return std::any_of(owed_.begin(), owed_.end(),
                     [&](const Owed& one) { return one.station == station && one.rendered; });
}

void PacedDelivery::drop_owed(const StationId& station) {
  assert(thread_.is_current());
  const auto kept = std::stable_partition(
      owed_.begin(), owed_.end(), [&](const Owed& one) { return !(one.station == station && one.rendered); });
  for (auto one = kept; one != owed_.end(); ++one)
    send_(one->worker, {one->phase, one->due_ns, {{one->station, {}, one->chunk, one->formats, one->lead}}});
  owed_.erase(kept, owed_.end());
}

std::int64_t PacedDelivery::next_turn(std::uint32_t phase) const {
  return phase < next_phase_ ? *turn_ + 1 : *turn_;
}

std::optional<std::int64_t> PacedDelivery::next_chunk(const Subscriptions::Listener& listener) const {
  if (!turn_) return std::nullopt;
  return next_turn(listener.phase) + listener.lead;
}

Prefill PacedDelivery::prefill(const Subscriptions::Listener& listener, std::int64_t first) {
  assert(thread_.is_current());
  Prefill prefill;
  if (!turn_) return prefill;
  const std::int64_t past_end = next_turn(listener.phase);
  const std::int64_t end = past_end + listener.lead;
  const auto held = [&](std::int64_t seq) { return pump_.held(listener.station, seq, listener.format); };
  for (std::int64_t seq = first; seq < past_end; ++seq) {
    if (AudioMessagePtr chunk = held(seq)) {
      prefill.chunks.push_back(std::move(chunk));
    } else {
      prefill.chunks.clear();
    }
  }
  std::int64_t next = std::max(first, past_end);
  for (; next < end; ++next) {
    AudioMessagePtr chunk = held(next);
    if (!chunk) break;
    prefill.chunks.push_back(std::move(chunk));
  }
  const auto due_of = [&](std::int64_t seq) { return due_ns(listener.phase, seq - listener.lead); };
  if (!prefill.chunks.empty()) prefill.due_ns = due_of(next - 1);
  FormatSet format;
  format.set(static_cast<std::size_t>(listener.format));
  for (; next < end; ++next)
    owed_.push_back({listener.worker, listener.phase, due_of(next), listener.station, next, format,
                     listener.lead, false});
  return prefill;
}

}  // namespace auralis
