// SPDX-License-Identifier: MIT
#include "streamd/delivery/send_queues.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "common/base/log.h"

namespace auralis {

SendQueues::SendQueues(const Clock& clock, const ProcessTime& process_time, StreamMetrics& metrics,
                       Transport& transport, const BacklogLimits& limits, std::int64_t idle_ns,
                       std::function<void(ConnectionId)> step_down)
    : clock_(clock),
      process_time_(process_time),
      metrics_(metrics),
      transport_(transport),
      limits_(limits),
      idle_ns_(idle_ns),
      step_down_(std::move(step_down)),
      ledger_(clock, metrics),
      context_{clock_, process_time_, metrics_, ledger_, transport_, limits_, step_down_} {}

SendQueues::~SendQueues() {
  for (Listener* const listener : listeners_) listener->index_.reset();
}

SendQueues::Listener::Listener(const SendQueues& queues, ConnectionId id, MessageSink& sink,
                               WireFormat format, bool offered_opus)
    : last_status_ns_(queues.clock_.now_ns()),
      sender_(queues.context_, id, sink, format, offered_opus),
      liveness_(queues.process_time_.now_ns()),
      reports_(queues.process_time_.absent_ns()) {}

SendQueues::Listener::~Listener() { assert(!index_); }

bool SendQueues::has(const Listener& listener) const {
  return listener.index_ && listeners_.at(*listener.index_) == &listener;
}

void SendQueues::add(Listener& listener) {
  assert(thread_.is_current());
  assert(!listener.index_);
  listener.index_ = listeners_.size();
  listeners_.push_back(&listener);
}

DisconnectReason SendQueues::remove(Listener& listener, ConnectionEnd end) {
  assert(thread_.is_current());
  assert(has(listener));
  const DisconnectReason reason = listener.sender_.end().value_or(
      end == ConnectionEnd::kReset ? DisconnectReason::kReset : DisconnectReason::kClient);
  listener.sender_.drop_all();
  remove_from_phase(listener);
  listeners_.back()->index_ = listener.index_;
  listeners_.at(*listener.index_) = listeners_.back();
  listeners_.pop_back();
  listener.index_.reset();
  return reason;
}

void SendQueues::begin(Listener& listener, const InitialDelivery& initial) {
  assert(thread_.is_current());
  assert(has(listener));
  if (listener.sender_.closing()) return;
  listener.sender_.set_station(initial.station);
  remove_from_phase(listener);
  listener.phase_ = initial.phase;
  phases_.at(initial.phase).push_back(&listener);
  for (const auto& message : initial.messages) listener.sender_.send_initial(message);
  for (const auto& audio : initial.prefill.chunks) listener.sender_.send_past(audio);
  listener.lead_ = initial.lead;
  if (initial.lead > 0) listener.sender_.begin_at(initial.prefill.due_ns);
}

void SendQueues::remove_from_phase(Listener& listener) {
  if (!listener.phase_) return;
  auto& phase = phases_.at(*listener.phase_);
  const auto found = std::find(phase.begin(), phase.end(), &listener);
  assert(found != phase.end());
  phase.erase(found);
  listener.phase_.reset();
}

void SendQueues::switch_station(Listener& listener, const StationId& station) {
  assert(thread_.is_current());
  assert(has(listener));
  listener.sender_.set_station(station);
}

void SendQueues::move(const StationId& from, const StationId& to) {
  assert(thread_.is_current());
  for (Listener* const listener : listeners_) {
    // A listener that waits for its station has none yet.
    if (listener->phase_ && listener->station() == from) listener->sender_.set_station(to);
  }
}

void SendQueues::set_format(Listener& listener, WireFormat format, bool stepped_down) {
  assert(thread_.is_current());
  assert(has(listener));
  listener.sender_.set_format(format);
  if (!stepped_down) return;
  metrics_.stepped_down.add();
  log_debug("slow listener: stepped down to Opus", {{"listener", static_cast<std::int64_t>(listener.id())}});
  listener.sender_.announce_step_down();
}

void SendQueues::deliver(const Delivery& delivery) {
  assert(thread_.is_current());
  const std::vector<Listener*>& phase = phases_.at(delivery.phase);
  if (phase.empty()) return;
  const std::int64_t began_ns = clock_.now_ns();
  Warning warning;
  for (std::size_t i = 0; i < phase.size(); ++i) {
    // While one is written to, the next ones come into the processor's cache, from one pointer to the next.
    if (i + 3 < phase.size()) __builtin_prefetch(phase[i + 3]);
    if (i + 2 < phase.size()) __builtin_prefetch(phase[i + 2]->sender_.sink());
    if (i + 1 < phase.size()) phase[i + 1]->sender_.sink()->expect();
    Listener& listener = *phase[i];
    if (listener.sender_.closing()) continue;
    const auto found =
        std::find_if(delivery.stations.begin(), delivery.stations.end(), [&](const StationAudio& one) {
          return one.station == listener.station() && one.lead == listener.lead_;
        });
    if (found != delivery.stations.end()) deliver_to(listener, *found, delivery.due_ns, warning);
  }
  observe_ns(metrics_.send_ms, clock_.now_ns() - began_ns);
}

void SendQueues::deliver_to(Listener& listener, const StationAudio& station, std::int64_t due_ns,
                            Warning& warning) {
  // A chunk that was not rendered in time for a lead comes to all of that lead, moved ones included, and may
  // be owed to them twice.
  if (station.lead > 0 && listener.sender_.has(due_ns)) return;
  const auto format = static_cast<std::size_t>(listener.format());
  if (station.lost[format]) listener.sender_.lose_chunk(station.lost_seq, due_ns);
  const AudioMessagePtr& audio = station.formats.at(format);
  if (!audio) return;
  if (audio->silence) {
    if (warning.seq != audio->seq) warning = {audio->seq, make_text_message(underrun_message(audio->seq))};
    listener.sender_.send_text(warning.message);
  }
  send_status_if_due(listener);
  listener.sender_.send_chunk(audio, due_ns);
}

void SendQueues::send_status_if_due(Listener& listener) {
  const std::int64_t now_ns = clock_.now_ns();
  if (now_ns - listener.last_status_ns_ < kStatusIntervalNs) return;
  listener.last_status_ns_ = now_ns;
  listener.sender_.send_text(make_text_message(buffer_status_message(listener.status())));
}

void SendQueues::send_text(Listener& listener, const WireMessagePtr& message) {
  assert(thread_.is_current());
  assert(has(listener));
  listener.sender_.send_text(message);
}

void SendQueues::send_text(const StationId& station, const WireMessagePtr& message) {
  assert(thread_.is_current());
  for (Listener* const listener : listeners_) {
    if (listener->station() == station) listener->sender_.send_text(message);
  }
}

void SendQueues::send_text_to_all(const WireMessagePtr& message) {
  assert(thread_.is_current());
  for (Listener* const listener : listeners_) listener->sender_.send_text(message);
}

}  // namespace auralis
