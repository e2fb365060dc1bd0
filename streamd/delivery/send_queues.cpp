// SPDX-License-Identifier: MIT
#include "streamd/delivery/send_queues.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/log.h"

namespace auralis {
namespace {

constexpr std::int64_t kReportIntervalNs = kNsPerSecond;
// Three of them in the shortest time that a listener may be allowed to be idle for, and what keeps a home's
// router from forgetting the connection.
constexpr std::int64_t kPingIntervalNs = 15 * kNsPerSecond;

double to_ms(std::int64_t ns) { return static_cast<double>(ns) / kNsPerMs; }

}  // namespace

SendQueues::SendQueues(const Clock& clock, const ProcessTime& process_time, StreamMetrics& metrics,
                       Transport& transport, const BacklogLimits& limits, std::int64_t idle_ns,
                       std::function<void(ConnectionId)> step_down)
    : clock_(clock),
      process_time_(process_time),
      metrics_(metrics),
      transport_(transport),
      limits_(limits),
      idle_ns_(idle_ns),
      step_down_(std::move(step_down)) {
  const auto books = metrics_.atomic_update();
  // What a former streamd had queued when it was killed was sent to nobody, and its listeners are gone.
  const double settled = metrics_.chunks_sent.value() + metrics_.dropped_backlog.value() +
                         metrics_.dropped_disconnect.value() + metrics_.dropped_error.value() +
                         metrics_.dropped_encoding.value();
  metrics_.dropped_disconnect.add(metrics_.chunks_offered.value() - settled);
  metrics_.disconnections.add(metrics_.connections.value() - metrics_.disconnections.value());
  metrics_.active_connections.set(0);
  metrics_.chunks_queued.set(0);
}

SendQueues::Listener* SendQueues::find(ConnectionId id) {
  const auto found = listeners_.find(id);
  return found == listeners_.end() ? nullptr : &found->second;
}
const SendQueues::Listener* SendQueues::find(ConnectionId id) const {
  const auto found = listeners_.find(id);
  return found == listeners_.end() ? nullptr : &found->second;
}

void SendQueues::add(ConnectionId id, MessageSink& sink, WireFormat format, bool offered_opus) {
  Listener& listener = listeners_[id];
  listener.id = id;
  listener.sink = &sink;
  listener.format = format;
  listener.offered_opus = offered_opus;
  listener.max_age_ns = limits_.age_ns;
  listener.accepted_ns = clock_.now_ns();
  listener.last_status_ns = listener.accepted_ns;
  listener.last_alive_ns = listener.last_ping_ns = process_time_.now_ns();
  listener.absent_ns = process_time_.absent_ns();
  const auto books = metrics_.atomic_update();
  metrics_.connections.add();
  metrics_.active_connections.set(static_cast<double>(listeners_.size()));
}

void SendQueues::begin(ConnectionId id, const InitialDelivery& welcome) {
  Listener* const listener = find(id);
  if (listener == nullptr || listener->closing) return;
  listener->station = welcome.station;
  leave_phase(*listener);
  listener->phase = welcome.phase;
  phases_.at(welcome.phase).push_back(listener);
  for (const auto& message : welcome.messages) push(*listener, {message, nullptr, 0, process_time_.now_ns()});
  for (const auto& audio : welcome.past) push(*listener, {audio->message, audio, 0, process_time_.now_ns()});
}

void SendQueues::leave_phase(Listener& listener) {
  if (!listener.phase) return;
  auto& phase = phases_.at(*listener.phase);
  phase.erase(std::find(phase.begin(), phase.end(), &listener));
  listener.phase.reset();
}

void SendQueues::switch_station(ConnectionId id, const StationId& station) {
  if (Listener* const listener = find(id)) listener->station = station;
}

void SendQueues::move(const StationId& from, const StationId& to) {
  for (auto& [id, listener] : listeners_) {
    // Those who are not delivered to yet have no station: each waits for its own.
    if (listener.phase && listener.station == from) listener.station = to;
  }
}

void SendQueues::set_format(ConnectionId id, WireFormat format, bool stepped_down) {
  Listener* const listener = find(id);
  if (listener == nullptr) return;
  listener->format = format;
  listener->steps_down = false;
  if (!stepped_down) return;
  metrics_.stepped_down.add();
  log_debug("listener is slow, stepped down to Opus", {{"listener", static_cast<std::int64_t>(id)}});
  send_text(*listener, make_text_message(stepped_down_message(listener->last_seq + 1, format)));
}

void SendQueues::deliver(const Delivery& delivery) {
  WireMessagePtr warning;  // the same for all: they are at the same chunk
  const std::vector<Listener*>& phase = phases_.at(delivery.phase);
  for (std::size_t i = 0; i < phase.size(); ++i) {
    // While one is written to, the next ones come into the processor's cache, from one pointer to the next.
    if (i + 3 < phase.size()) __builtin_prefetch(phase[i + 3]);
    if (i + 2 < phase.size()) __builtin_prefetch(phase[i + 2]->sink);
    if (i + 1 < phase.size()) phase[i + 1]->sink->expect();
    Listener* const listener = phase[i];
    if (listener->closing) continue;
    const auto found =
        std::find_if(delivery.stations.begin(), delivery.stations.end(),
                     [&](const StationAudio& one) { return one.station == listener->station; });
    if (found == delivery.stations.end()) continue;
    const auto format = static_cast<std::size_t>(listener->format);
    if (found->lost[format]) lose(*listener, found->lost_seq, delivery.due_ns);
    const AudioMessagePtr& audio = found->formats.at(format);
    if (!audio) continue;
    if (audio->silence) {
      if (!warning) warning = make_text_message(underrun_message(audio->seq));
      send_text(*listener, warning);
    }
    deliver_to(*listener, audio, delivery.due_ns);
  }
}

// A chunk that was due to the listener and could not be encoded in time: it counts with its age.
void SendQueues::lose(Listener& listener, std::int64_t seq, std::int64_t due_ns) {
  ++listener.dropped;
  {
    const auto books = metrics_.atomic_update();
    metrics_.chunks_offered.add();
    metrics_.dropped_encoding.add();
    metrics_.delivery_latency_ms.observe(to_ms(clock_.now_ns() - due_ns));
  }
  send_text(listener, make_text_message(skipped_message(seq)));
}

void SendQueues::deliver_to(Listener& listener, const AudioMessagePtr& audio, std::int64_t due_ns) {
  const std::int64_t now_ns = clock_.now_ns();
  if (now_ns - listener.last_status_ns >= kStatusIntervalNs) {
    listener.last_status_ns = now_ns;
    send_text(listener, make_text_message(buffer_status_message(status_of(listener))));
  }
  const bool nothing_waits = !listener.on_its_way && listener.queue.empty();
  if (nothing_waits && send_at_once(listener, audio, due_ns)) return;
  push(listener, {audio->message, audio, due_ns, process_time_.now_ns()});
}

// As a rule the kernel takes a chunk, and no queue is needed. False where the connection is broken, which the
// way by the queue finds, too.
bool SendQueues::send_at_once(Listener& listener, const AudioMessagePtr& audio, std::int64_t due_ns) {
  const SendResult result = listener.sink->transmit(audio->message);
  if (result == SendResult::kFailed) return false;
  listener.last_seq = audio->seq;
  const std::size_t bytes = audio->message->bytes.size();
  const auto books = metrics_.atomic_update();
  metrics_.chunks_offered.add();
  if (result == SendResult::kPending) {
    note_queued(+1);
    listener.queued_bytes += bytes;
    listener.progress_ns = process_time_.now_ns();
    listener.on_its_way = {audio->message, audio, due_ns, listener.progress_ns};
    return true;
  }
  listener.bytes += bytes;
  metrics_.bytes_sent.add(static_cast<double>(bytes));
  note_audio_sent(listener, *audio, due_ns);
  return true;
}

void SendQueues::send_text(ConnectionId id, const WireMessagePtr& message) {
  if (Listener* const listener = find(id)) send_text(*listener, message);
}

void SendQueues::send_text(const StationId& station, const WireMessagePtr& message) {
  for (auto& [id, listener] : listeners_) {
    if (listener.station == station) send_text(listener, message);
  }
}

void SendQueues::send_text_to_all(const WireMessagePtr& message) {
  for (auto& [id, listener] : listeners_) send_text(listener, message);
}

void SendQueues::send_text(Listener& listener, const WireMessagePtr& message) {
  if (listener.closing || is_plain_http(listener.format)) return;
  if (listener.texts_queued >= kMaxTexts) {
    metrics_.messages_dropped.add();
    return;
  }
  push(listener, {message, nullptr, 0, process_time_.now_ns()});
}

void SendQueues::push(Listener& listener, Outgoing outgoing) {
  listener.queued_bytes += outgoing.message->bytes.size();
  if (outgoing.audio) {
    listener.last_seq = outgoing.audio->seq;
    ++listener.queued_chunks;
    const auto books = metrics_.atomic_update();
    metrics_.chunks_offered.add();
    note_queued(+1);
  } else {
    ++listener.texts_queued;
  }
  listener.queue.push_back(std::move(outgoing));
  hand_over(listener);
  apply_policy(listener);
}

void SendQueues::hand_over(Listener& listener) {
  while (!listener.on_its_way && !listener.queue.empty() && !listener.closing) {
    listener.on_its_way = std::move(listener.queue.front());
    listener.queue.pop_front();
    --(listener.on_its_way->audio ? listener.queued_chunks : listener.texts_queued);
    listener.progress_ns = process_time_.now_ns();
    switch (listener.sink->transmit(listener.on_its_way->message)) {
      case SendResult::kPending:
        return;
      case SendResult::kTaken:
        note_sent(listener, *std::exchange(listener.on_its_way, std::nullopt));
        break;
      case SendResult::kFailed:
        write_failed(listener.id);
        return;
    }
  }
}

Backlog SendQueues::backlog_of(const Listener& listener, std::int64_t now_ns) const {
  Backlog backlog;
  const auto oldest = std::find_if(listener.queue.begin(), listener.queue.end(),
                                   [](const Outgoing& outgoing) { return outgoing.audio != nullptr; });
  if (oldest != listener.queue.end()) backlog.oldest_age_ns = now_ns - oldest->queued_ns;
  if (listener.on_its_way) backlog.since_progress_ns = now_ns - listener.progress_ns;
  backlog.queued_bytes = listener.queued_bytes;
  backlog.queued_chunks = listener.queued_chunks;
  backlog.can_step_down =
      listener.offered_opus && listener.format == WireFormat::kPcm && !listener.steps_down;
  return backlog;
}

void SendQueues::apply_policy(Listener& listener) {
  while (!listener.closing && listener.on_its_way) {
    const BacklogLimits limits{listener.max_age_ns, limits_.bytes};
    switch (backlog_action(backlog_of(listener, process_time_.now_ns()), limits)) {
      case BacklogAction::kSend:
        return;
      case BacklogAction::kStepDown:
        listener.steps_down = true;
        step_down_(listener.id);
        break;
      case BacklogAction::kSkipOldest:
        skip_oldest_chunk(listener);
        break;
      case BacklogAction::kClose:
        close(listener, close_code::kNoProgress, "no data taken for 10 s");
        return;
    }
  }
}

void SendQueues::skip_oldest_chunk(Listener& listener) {
  const auto oldest = std::find_if(listener.queue.begin(), listener.queue.end(),
                                   [](const Outgoing& outgoing) { return outgoing.audio != nullptr; });
  const std::int64_t seq = oldest->audio->seq;
  drop(listener, *oldest, metrics_.dropped_backlog);
  --listener.queued_chunks;
  // The warning takes the chunk's place in the order, so the listener learns of the gap where it is.
  if (listener.texts_queued < kMaxTexts && !is_plain_http(listener.format)) {
    *oldest = {make_text_message(skipped_message(seq)), nullptr, 0, process_time_.now_ns()};
    listener.queued_bytes += oldest->message->bytes.size();
    ++listener.texts_queued;
  } else {
    if (!is_plain_http(listener.format)) metrics_.messages_dropped.add();
    listener.queue.erase(oldest);
  }
  log_debug("listener is slow, chunk skipped",
            {{"listener", static_cast<std::int64_t>(listener.id)}, {"chunk", seq}});
}

void SendQueues::flush(ConnectionId id) {
  Listener* const listener = find(id);
  if (listener == nullptr) return;
  while (listener->queued_chunks > 0) skip_oldest_chunk(*listener);
}

void SendQueues::set_max_backlog(ConnectionId id, std::int64_t age_ns) {
  if (Listener* const listener = find(id)) listener->max_age_ns = std::min(age_ns, limits_.age_ns);
}

BufferStatus SendQueues::status_of(const Listener& listener) const {
  const Backlog backlog = backlog_of(listener, process_time_.now_ns());
  BufferStatus status;
  status.format = listener.format;
  status.queued = listener.queued_chunks + (listener.on_its_way && listener.on_its_way->audio ? 1 : 0);
  status.queued_bytes = listener.queued_bytes;
  status.backlog_ms = to_ms(backlog.oldest_age_ns);
  status.max_backlog_ms = listener.max_age_ns / kNsPerMs;
  status.sent = listener.sent;
  status.dropped = listener.dropped;
  if (listener.round_trip_ns) status.rtt_ms = to_ms(*listener.round_trip_ns);
  status.server_time = static_cast<double>(clock_.unix_ns()) / kNsPerSecond;
  return status;
}

std::optional<BufferStatus> SendQueues::status(ConnectionId id) const {
  const Listener* const listener = find(id);
  return listener == nullptr ? std::nullopt : std::optional(status_of(*listener));
}

StationId SendQueues::station_of(ConnectionId id) const {
  const Listener* const listener = find(id);
  return listener == nullptr ? StationId{} : listener->station;
}

std::uint64_t SendQueues::bytes_of(ConnectionId id) const {
  const Listener* const listener = find(id);
  return listener == nullptr ? 0 : listener->bytes;
}

void SendQueues::close(Listener& listener, std::uint16_t code, std::string_view reason) {
  listener.closing = true;
  transport_.close(listener.id, code, reason);
}

void SendQueues::drop(Listener& listener, const Outgoing& outgoing, Counter& reason) {
  listener.queued_bytes -= outgoing.message->bytes.size();
  if (!outgoing.audio) return;
  ++listener.dropped;
  const auto books = metrics_.atomic_update();
  reason.add();
  note_queued(-1);
}

void SendQueues::progressed(ConnectionId id) {
  if (Listener* const listener = find(id)) listener->progress_ns = process_time_.now_ns();
}

void SendQueues::written(ConnectionId id) {
  Listener* const listener = find(id);
  if (listener == nullptr || !listener->on_its_way) return;
  note_sent(*listener, *std::exchange(listener->on_its_way, std::nullopt));
  hand_over(*listener);
}

void SendQueues::note_sent(Listener& listener, const Outgoing& outgoing) {
  const std::size_t bytes = outgoing.message->bytes.size();
  listener.queued_bytes -= bytes;
  listener.bytes += bytes;
  const auto books = metrics_.atomic_update();
  metrics_.bytes_sent.add(static_cast<double>(bytes));
  if (!outgoing.audio) return;
  note_queued(-1);
  note_audio_sent(listener, *outgoing.audio, outgoing.due_ns);
}

// Within an update of the books.
void SendQueues::note_audio_sent(Listener& listener, const AudioMessage& audio, std::int64_t due_ns) {
  const std::int64_t now_ns = clock_.now_ns();
  ++listener.sent;
  metrics_.chunks_sent.add();
  if (!std::exchange(listener.heard_audio, true)) {
    metrics_.startup_latency_ms.observe(to_ms(now_ns - listener.accepted_ns));
  }
  if (due_ns == 0) return;  // a chunk of the past was due to nobody
  metrics_.delivery_latency_ms.observe(to_ms(now_ns - due_ns));
  const std::int64_t before_ns = std::exchange(listener.last_live_sent_ns, now_ns);
  if (before_ns == 0) return;
  const double deviation_ms = to_ms(now_ns - before_ns - audio.duration_ns);
  metrics_.jitter_ms.observe(std::abs(deviation_ms));
  metrics_.send_intervals.add();
  metrics_.send_late_ms.add(std::max(deviation_ms, 0.0));
  metrics_.send_early_ms.add(std::max(-deviation_ms, 0.0));
  metrics_.send_deviation_squares.add(deviation_ms * deviation_ms);
}

void SendQueues::write_failed(ConnectionId id) {
  Listener* const listener = find(id);
  if (listener == nullptr || !listener->on_its_way) return;
  if (listener->on_its_way->audio) metrics_.send_errors.add();
  drop(*listener, *listener->on_its_way, metrics_.dropped_error);
  listener->on_its_way.reset();
  listener->closing = true;  // the network ends the connection, and says so by removed()
}

void SendQueues::removed(ConnectionId id) {
  Listener* const listener = find(id);
  if (listener == nullptr) return;
  if (listener->on_its_way) drop(*listener, *listener->on_its_way, metrics_.dropped_disconnect);
  for (const auto& outgoing : listener->queue) drop(*listener, outgoing, metrics_.dropped_disconnect);
  leave_phase(*listener);
  const double seconds = static_cast<double>(clock_.now_ns() - listener->accepted_ns) / kNsPerSecond;
  listeners_.erase(id);
  const auto books = metrics_.atomic_update();
  metrics_.disconnections.add();
  metrics_.active_connections.set(static_cast<double>(listeners_.size()));
  metrics_.connection_seconds.observe(seconds);
}

void SendQueues::alive(ConnectionId id, std::optional<std::int64_t> round_trip_ns) {
  Listener* const listener = find(id);
  if (listener == nullptr) return;
  listener->last_alive_ns = process_time_.now_ns();
  if (round_trip_ns) listener->round_trip_ns = round_trip_ns;
}

bool SendQueues::report_playback(ConnectionId id, double latency_ms) {
  Listener* const listener = find(id);
  if (listener == nullptr) return true;
  const std::int64_t now_ns = clock_.now_ns();
  if (listener->last_report_ns != 0 && now_ns - listener->last_report_ns < kReportIntervalNs) {
    if (process_time_.absent_ns() - listener->absent_ns < kReportIntervalNs) return false;
    listener->absent_ns += kReportIntervalNs;
    return true;
  }
  listener->last_report_ns = now_ns;
  metrics_.end_to_end_latency_ms.observe(latency_ms);
  return true;
}

void SendQueues::check_timeouts() {
  const std::int64_t now_ns = process_time_.now_ns();
  for (auto& [id, listener] : listeners_) {
    apply_policy(listener);
    if (listener.closing || is_plain_http(listener.format)) continue;
    if (now_ns - listener.last_alive_ns >= idle_ns_) {
      close(listener, close_code::kNoSignOfLife, "no sign of life");
    } else if (now_ns - listener.last_ping_ns >= std::min(kPingIntervalNs, idle_ns_ / 3)) {
      listener.last_ping_ns = now_ns;
      transport_.ping(id);
    }
  }
}

void SendQueues::close(ConnectionId id, std::uint16_t code, std::string_view reason) {
  if (Listener* const listener = find(id)) close(*listener, code, reason);
}

void SendQueues::close_all_of(const StationId& station, std::uint16_t code, std::string_view reason) {
  for (auto& [id, listener] : listeners_) {
    if (listener.station == station) close(listener, code, reason);
  }
}

void SendQueues::close_all_in(WireFormat format, std::uint16_t code, std::string_view reason) {
  for (auto& [id, listener] : listeners_) {
    if (listener.format == format) close(listener, code, reason);
  }
}

std::vector<ConnectionId> SendQueues::ids() const {
  std::vector<ConnectionId> ids;
  for (const auto& entry : listeners_) ids.push_back(entry.first);
  return ids;
}

void SendQueues::note_queued(double change) {
  queued_ += change;
  metrics_.chunks_queued.set(queued_);
}

}  // namespace auralis
