// SPDX-License-Identifier: MIT
// Listeners of SendQueues, apart from delivery: their state, signs of life, and their end.
#include <algorithm>
#include <cassert>

#include "streamd/delivery/send_queues.h"

namespace auralis {

BufferStatus SendQueues::Listener::status() const {
  BufferStatus status = sender_.status();
  if (const auto round_trip_ns = liveness_.round_trip_ns())
    status.rtt_ms = static_cast<double>(*round_trip_ns) / kNsPerMs;
  return status;
}

void SendQueues::flush(Listener& listener) {
  assert(thread_.is_current());
  assert(has(listener));
  listener.sender_.flush();
}

void SendQueues::set_max_backlog(Listener& listener, std::int64_t age_ns) {
  assert(thread_.is_current());
  assert(has(listener));
  listener.sender_.set_max_backlog(age_ns);
}

void SendQueues::progressed(Listener& listener) {
  assert(thread_.is_current());
  assert(has(listener));
  listener.sender_.progressed();
}

void SendQueues::written(Listener& listener) {
  assert(thread_.is_current());
  assert(has(listener));
  listener.sender_.written();
}

void SendQueues::write_failed(Listener& listener) {
  assert(thread_.is_current());
  assert(has(listener));
  listener.sender_.write_failed();
}

void SendQueues::alive(Listener& listener, std::optional<std::int64_t> round_trip_ns) {
  assert(thread_.is_current());
  assert(has(listener));
  listener.liveness_.alive(process_time_.now_ns(), round_trip_ns);
}

bool SendQueues::report_playback(Listener& listener, const PlaybackReport& report) {
  assert(thread_.is_current());
  assert(has(listener));
  const auto verdict = listener.reports_.judge(clock_.now_ns(), process_time_.absent_ns());
  if (verdict == ReportLimiter::Verdict::kTooOften) return false;
  listener.playback_ = report;
  const auto update = metrics_.atomic_update();
  metrics_.player_underruns.add(std::min(report.underruns, kMostReportedEvents));
  metrics_.player_gaps.add(std::min(report.gaps, kMostReportedEvents));
  metrics_.player_skips.add(std::min(report.skips, kMostReportedEvents));
  if (report.listened_ms > 0) {
    const double listened_ms = std::min(report.listened_ms, kMostReportedMs);
    metrics_.player_listened_ms.add(listened_ms);
    metrics_.player_silence_ms.add(report.silence_ms * listened_ms / report.listened_ms);
  }
  if (report.startup_ms) metrics_.player_startup_ms.observe(std::min(*report.startup_ms, kMostReportedMs));
  if (verdict == ReportLimiter::Verdict::kDiscard) return true;
  if (report.latency_ms) {
    // Music may be buffered for comfort, part of which the lead pays for: what is left is the time on the
    // way.
    const double buffered_ms = report.buffer_ms - listener.sender_.lead_ms(listener.lead_);
    const double on_the_way_ms = std::max(0.0, *report.latency_ms - buffered_ms);
    metrics_.end_to_end_latency_ms.observe(std::min(on_the_way_ms, kMostReportedMs));
  }
  metrics_.player_buffer_ms.observe(std::min(report.buffer_ms, kMostReportedMs));
  return true;
}

void SendQueues::check_timeouts() {
  assert(thread_.is_current());
  const std::int64_t now_ns = process_time_.now_ns();
  std::size_t behind = 0;
  for (Listener* const listener : listeners_) {
    listener->sender_.apply_policy();
    // The others get theirs with their chunks.
    if (listener->phase_ && !has_audio(listener->format())) send_status_if_due(*listener);
    if (listener->sender_.backlog_ns() > kBehindNs) ++behind;
    if (!listener->sender_.closing() && !is_plain_http(listener->format())) check_liveness(*listener, now_ns);
  }
  metrics_.listeners_behind.set(static_cast<double>(behind));
}

void SendQueues::check_liveness(Listener& listener, std::int64_t now_ns) {
  switch (listener.liveness_.check(now_ns, idle_ns_)) {
    case Liveness::Action::kWait:
      break;
    case Liveness::Action::kPing:
      transport_.ping(listener.id());
      break;
    case Liveness::Action::kClose:
      listener.sender_.close(close_code::kNoSignOfLife, "no sign of life");
      break;
  }
}

void SendQueues::close(Listener& listener, std::uint16_t code, std::string_view reason) {
  assert(thread_.is_current());
  assert(has(listener));
  listener.sender_.close(code, reason);
}

void SendQueues::close_all_of(const StationId& station, std::uint16_t code, std::string_view reason) {
  assert(thread_.is_current());
  for (Listener* const listener : listeners_) {
    if (listener->station() == station) listener->sender_.close(code, reason);
  }
}

void SendQueues::close_all_in(WireFormat format, std::uint16_t code, std::string_view reason) {
  assert(thread_.is_current());
  for (Listener* const listener : listeners_) {
    if (listener->format() == format) listener->sender_.close(code, reason);
  }
}

}  // namespace auralis
