// SPDX-License-Identifier: MIT
#include "streamd/hub.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/log.h"
#include "streamd/listener_policy.h"
#include "streamd/messages.h"

namespace auralis {
namespace {

constexpr std::int64_t kReportIntervalNs = kNsPerSecond;

double to_ms(std::int64_t ns) { return static_cast<double>(ns) / kNsPerMs; }

}  // namespace

Hub::Hub(const Clock& clock, StreamMetrics& metrics, Transport& transport, const HubLimits& limits)
    : clock_(clock), metrics_(metrics), transport_(transport), limits_(limits) {
  const auto books = metrics_.together();
  // What a former streamd had queued when it was killed was sent to nobody, and its listeners are gone.
  const double settled = metrics_.chunks_sent.value() + metrics_.dropped_backlog.value() +
                         metrics_.dropped_disconnect.value() + metrics_.dropped_error.value();
  metrics_.dropped_disconnect.add(metrics_.chunks_offered.value() - settled);
  metrics_.disconnections.add(metrics_.connections.value() - metrics_.disconnections.value());
  metrics_.active_connections.set(0);
  metrics_.chunks_queued.set(0);
}

void Hub::set_phases(std::uint32_t phases) {
  phase_counts_.assign(phases, 0);
  for (auto& entry : listeners_) entry.second.phase = take_phase();
}

std::uint32_t Hub::take_phase() {
  const auto least = std::min_element(phase_counts_.begin(), phase_counts_.end());
  ++*least;
  return static_cast<std::uint32_t>(least - phase_counts_.begin());
}

void Hub::count_listener(const StationPlace& station, int change) {
  const auto entry = station_counts_.try_emplace({station.index, station.tenancy}, 0).first;
  entry->second += static_cast<std::size_t>(change);
  if (entry->second == 0) station_counts_.erase(entry);
}

std::optional<StationPlace> Hub::station_of(ConnectionId id) const {
  const auto found = listeners_.find(id);
  return found == listeners_.end() ? std::nullopt : std::optional(found->second.station);
}

std::size_t Hub::listeners_of(const StationPlace& station) const {
  const auto found = station_counts_.find({station.index, station.tenancy});
  return found == station_counts_.end() ? 0 : found->second;
}

std::vector<StationPlace> Hub::stations() const {
  std::vector<StationPlace> places;
  for (const auto& entry : station_counts_) places.push_back({entry.first.first, entry.first.second});
  return places;
}

void Hub::move(const StationPlace& from, const StationPlace& to) {
  for (auto& entry : listeners_) {
    if (!(entry.second.station == from)) continue;
    count_listener(from, -1);
    count_listener(to, +1);
    entry.second.station = to;
  }
}

void Hub::add(ConnectionId id, WireFormat format, const StationPlace& station) {
  Listener& listener = listeners_[id];
  listener.format = format;
  listener.station = station;
  count_listener(station, +1);
  listener.phase = take_phase();
  listener.accepted_ns = clock_.now_ns();
  const auto books = metrics_.together();
  metrics_.connections.add();
  metrics_.active_connections.set(static_cast<double>(listeners_.size()));
}

void Hub::prefill(ConnectionId id, const std::vector<OutgoingChunkPtr>& chunks) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end()) return;
  found->second.begun = true;
  for (const auto& chunk : chunks) {
    push(id, found->second, {chunk->message(found->second.format), chunk, 0, clock_.now_ns()});
  }
}

void Hub::deliver(const ChunkOf& chunk_of, std::uint32_t phase, std::int64_t due_ns) {
  WireMessagePtr warning;  // the same for all: they are at the same chunk
  for (auto& [id, listener] : listeners_) {
    if (listener.phase != phase || listener.closing || !listener.begun) continue;
    const OutgoingChunkPtr chunk = chunk_of(listener.station);
    if (!chunk) continue;
    if (chunk->audio().silence) {
      if (!warning) warning = make_text_message(underrun_message(chunk->audio().seq));
      send_text(id, warning);
    }
    push(id, listener, {chunk->message(listener.format), chunk, due_ns, clock_.now_ns()});
  }
}

void Hub::send_text(ConnectionId id, const WireMessagePtr& message) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end() || found->second.closing) return;
  if (found->second.texts_queued >= kMaxTexts) {
    metrics_.messages_dropped.add();
    return;
  }
  push(id, found->second, {message, nullptr, 0, clock_.now_ns()});
}

void Hub::send_text(const StationPlace& station, const WireMessagePtr& message) {
  for (const auto& [id, listener] : listeners_) {
    if (listener.station == station) send_text(id, message);
  }
}

void Hub::push(ConnectionId id, Listener& listener, Outgoing outgoing) {
  if (outgoing.chunk) {
    const auto books = metrics_.together();
    metrics_.chunks_offered.add();
    note_queued(+1);
  } else {
    ++listener.texts_queued;
  }
  listener.queue.push_back(std::move(outgoing));
  apply_policy(id, listener);
  hand_over(id, listener);
}

void Hub::hand_over(ConnectionId id, Listener& listener) {
  if (listener.on_its_way || listener.queue.empty() || listener.closing) return;
  listener.on_its_way = std::move(listener.queue.front());
  listener.queue.pop_front();
  if (!listener.on_its_way->chunk) --listener.texts_queued;
  listener.handed_ns = clock_.now_ns();
  transport_.send(id, listener.on_its_way->message);
}

void Hub::apply_policy(ConnectionId id, Listener& listener) {
  const std::int64_t now_ns = clock_.now_ns();
  while (!listener.closing) {
    const auto oldest = std::find_if(listener.queue.begin(), listener.queue.end(),
                                     [](const Outgoing& outgoing) { return outgoing.chunk != nullptr; });
    Backlog backlog;
    if (oldest != listener.queue.end()) backlog.oldest_age_ns = now_ns - oldest->queued_ns;
    if (listener.on_its_way) backlog.since_progress_ns = now_ns - listener.handed_ns;
    switch (backlog_action(backlog, limits_.backlog_ns)) {
      case BacklogAction::kSend:
        return;
      case BacklogAction::kSkipOldest:
        skip_oldest_chunk(id, listener);
        break;
      case BacklogAction::kClose:
        close(id, listener, close_code::kNoProgress, "no data taken for 10 s");
        return;
    }
  }
}

void Hub::skip_oldest_chunk(ConnectionId id, Listener& listener) {
  const auto oldest = std::find_if(listener.queue.begin(), listener.queue.end(),
                                   [](const Outgoing& outgoing) { return outgoing.chunk != nullptr; });
  const std::int64_t seq = oldest->chunk->audio().seq;
  drop(*oldest, metrics_.dropped_backlog);
  // The warning takes the chunk's place in the order, so the listener learns of the gap where it is.
  if (listener.texts_queued < kMaxTexts) {
    *oldest = {make_text_message(skipped_message(seq)), nullptr, 0, clock_.now_ns()};
    ++listener.texts_queued;
  } else {
    metrics_.messages_dropped.add();
    listener.queue.erase(oldest);
  }
  log_debug("listener is slow, chunk skipped", {{"listener", static_cast<std::int64_t>(id)}, {"chunk", seq}});
}

void Hub::close(ConnectionId id, Listener& listener, std::uint16_t code, std::string_view reason) {
  listener.closing = true;
  transport_.close(id, code, reason);
}

void Hub::drop(const Outgoing& outgoing, Counter& reason) {
  if (!outgoing.chunk) return;
  const auto books = metrics_.together();
  reason.add();
  note_queued(-1);
}

void Hub::written(ConnectionId id, std::size_t bytes) {
  metrics_.bytes_sent.add(static_cast<double>(bytes));
  const auto found = listeners_.find(id);
  if (found == listeners_.end() || !found->second.on_its_way) return;
  Listener& listener = found->second;
  const Outgoing outgoing = std::move(*listener.on_its_way);
  listener.on_its_way.reset();
  if (outgoing.chunk) note_sent(listener, outgoing);
  hand_over(id, listener);
}

void Hub::note_sent(Listener& listener, const Outgoing& outgoing) {
  const std::int64_t now_ns = clock_.now_ns();
  const auto books = metrics_.together();
  metrics_.chunks_sent.add();
  note_queued(-1);
  if (!std::exchange(listener.heard_audio, true)) {
    metrics_.startup_latency_ms.observe(to_ms(now_ns - listener.accepted_ns));
  }
  if (outgoing.due_ns == 0) return;  // a chunk of the past was due to nobody
  metrics_.delivery_latency_ms.observe(to_ms(now_ns - outgoing.due_ns));
  const std::int64_t before_ns = std::exchange(listener.last_live_sent_ns, now_ns);
  if (before_ns == 0) return;
  const AudioChunk& audio = outgoing.chunk->audio();
  const double deviation_ms = to_ms(now_ns - before_ns) - 1e3 * audio.frames / audio.sample_rate;
  metrics_.jitter_ms.observe(std::abs(deviation_ms));
  metrics_.send_intervals.add();
  metrics_.send_late_ms.add(std::max(deviation_ms, 0.0));
  metrics_.send_early_ms.add(std::max(-deviation_ms, 0.0));
  metrics_.send_deviation_squares.add(deviation_ms * deviation_ms);
}

void Hub::write_failed(ConnectionId id) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end() || !found->second.on_its_way) return;
  if (found->second.on_its_way->chunk) {
    metrics_.send_errors.add();
    drop(*found->second.on_its_way, metrics_.dropped_error);
  }
  found->second.on_its_way.reset();
  found->second.closing = true;  // the network ends the connection, and says so by removed()
}

void Hub::removed(ConnectionId id) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end()) return;
  const Listener& listener = found->second;
  if (listener.on_its_way) drop(*listener.on_its_way, metrics_.dropped_disconnect);
  for (const auto& outgoing : listener.queue) drop(outgoing, metrics_.dropped_disconnect);
  --phase_counts_[listener.phase];
  count_listener(listener.station, -1);
  const double seconds = static_cast<double>(clock_.now_ns() - listener.accepted_ns) / kNsPerSecond;
  listeners_.erase(found);
  const auto books = metrics_.together();
  metrics_.disconnections.add();
  metrics_.connection_seconds.observe(seconds);
  metrics_.active_connections.set(static_cast<double>(listeners_.size()));
}

bool Hub::report_playback(ConnectionId id, double latency_ms) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end()) return true;
  const std::int64_t now_ns = clock_.now_ns();
  std::int64_t& last = found->second.last_report_ns;
  if (last != 0 && now_ns - last < kReportIntervalNs) return false;
  last = now_ns;
  metrics_.end_to_end_latency_ms.observe(latency_ms);
  return true;
}

void Hub::close_stalled() {
  for (auto& [id, listener] : listeners_) apply_policy(id, listener);
}

void Hub::close_all(std::uint16_t code, std::string_view reason) {
  for (auto& [id, listener] : listeners_) close(id, listener, code, reason);
}

void Hub::close_all_of(const StationPlace& station, std::uint16_t code, std::string_view reason) {
  for (auto& [id, listener] : listeners_) {
    if (listener.station == station) close(id, listener, code, reason);
  }
}

void Hub::note_queued(double change) {
  queued_ += change;
  metrics_.chunks_queued.set(queued_);
}

}  // namespace auralis
