// SPDX-License-Identifier: MIT
// What SendQueues knows of its listeners beside delivery: their state, signs of life, and their end.
#include <cassert>

#include "streamd/delivery/send_queues.h"

namespace auralis {

BufferStatus SendQueues::status_of(const Listener& listener) const {
  BufferStatus status = listener.sender.status();
  if (const auto round_trip_ns = listener.liveness.round_trip_ns())
    status.rtt_ms = static_cast<double>(*round_trip_ns) / kNsPerMs;
  return status;
}

std::optional<BufferStatus> SendQueues::status(ConnectionId id) const {
  const Listener* const listener = find(id);
  return listener == nullptr ? std::nullopt : std::optional(status_of(*listener));
}

StationId SendQueues::station_of(ConnectionId id) const {
  const Listener* const listener = find(id);
  return listener == nullptr ? StationId{} : listener->sender.station();
}

std::uint64_t SendQueues::bytes_of(ConnectionId id) const {
  const Listener* const listener = find(id);
  return listener == nullptr ? 0 : listener->sender.bytes_sent();
}

std::vector<ConnectionId> SendQueues::ids() const {
  std::vector<ConnectionId> ids;
  ids.reserve(listeners_.size());
  for (const auto& entry : listeners_) ids.push_back(entry.first);
  return ids;
}

void SendQueues::progressed(ConnectionId id) {
  if (Listener* const listener = find(id)) listener->sender.progressed();
}

void SendQueues::written(ConnectionId id) {
  if (Listener* const listener = find(id)) listener->sender.written();
}

void SendQueues::write_failed(ConnectionId id) {
  if (Listener* const listener = find(id)) listener->sender.write_failed();
}

void SendQueues::removed(ConnectionId id) {
  Listener* const listener = find(id);
  if (listener == nullptr) return;
  listener->sender.drop_all();
  leave_phase(*listener);
  const double seconds = static_cast<double>(clock_.now_ns() - listener->sender.accepted_ns()) / kNsPerSecond;
  listeners_.erase(id);
  const auto update = metrics_.atomic_update();
  metrics_.disconnections.add();
  metrics_.active_connections.set(static_cast<double>(listeners_.size()));
  metrics_.connection_seconds.observe(seconds);
}

void SendQueues::alive(ConnectionId id, std::optional<std::int64_t> round_trip_ns) {
  if (Listener* const listener = find(id)) listener->liveness.alive(process_time_.now_ns(), round_trip_ns);
}

bool SendQueues::report_playback(ConnectionId id, double latency_ms) {
  Listener* const listener = find(id);
  if (listener == nullptr) return true;
  const auto verdict = listener->reports.judge(clock_.now_ns(), process_time_.absent_ns());
  if (verdict == ReportLimiter::Verdict::kNote) metrics_.end_to_end_latency_ms.observe(latency_ms);
  return verdict != ReportLimiter::Verdict::kTooOften;
}

void SendQueues::check_timeouts() {
  assert(thread_.is_current());
  const std::int64_t now_ns = process_time_.now_ns();
  for (auto& [id, listener] : listeners_) {
    listener.sender.apply_policy();
    if (!listener.sender.closing() && !is_plain_http(listener.sender.format()))
      check_liveness(listener, now_ns);
  }
}

void SendQueues::check_liveness(Listener& listener, std::int64_t now_ns) {
  switch (listener.liveness.check(now_ns, idle_ns_)) {
    case Liveness::Action::kWait:
      break;
    case Liveness::Action::kPing:
      transport_.ping(listener.sender.id());
      break;
    case Liveness::Action::kClose:
      listener.sender.close(close_code::kNoSignOfLife, "no sign of life");
      break;
  }
}

void SendQueues::close(ConnectionId id, std::uint16_t code, std::string_view reason) {
  if (Listener* const listener = find(id)) listener->sender.close(code, reason);
}

void SendQueues::close_all_of(const StationId& station, std::uint16_t code, std::string_view reason) {
  assert(thread_.is_current());
  for (auto& [id, listener] : listeners_) {
    if (listener.sender.station() == station) listener.sender.close(code, reason);
  }
}

void SendQueues::close_all_in(WireFormat format, std::uint16_t code, std::string_view reason) {
  assert(thread_.is_current());
  for (auto& [id, listener] : listeners_) {
    if (listener.sender.format() == format) listener.sender.close(code, reason);
  }
}

}  // namespace auralis
