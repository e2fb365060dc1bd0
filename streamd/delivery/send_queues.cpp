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
      context_{clock_, process_time_, metrics_, ledger_, transport_, limits_, step_down_} {
  // The listeners of a former streamd that was killed are gone.
  const auto update = metrics_.atomic_update();
  metrics_.disconnections.add(metrics_.connections.value() - metrics_.disconnections.value());
  metrics_.active_connections.set(0);
}

SendQueues::Listener::Listener(const SendContext& context, ConnectionId id, MessageSink& sink,
                               WireFormat format, bool offered_opus)
    : last_status_ns(context.clock.now_ns()),
      sender(context, id, sink, format, offered_opus),
      liveness(context.process_time.now_ns()),
      reports(context.process_time.absent_ns()) {}

SendQueues::Listener* SendQueues::find(ConnectionId id) {
  assert(thread_.is_current());
  const auto found = listeners_.find(id);
  return found == listeners_.end() ? nullptr : &found->second;
}
const SendQueues::Listener* SendQueues::find(ConnectionId id) const {
  assert(thread_.is_current());
  const auto found = listeners_.find(id);
  return found == listeners_.end() ? nullptr : &found->second;
}

void SendQueues::add(ConnectionId id, MessageSink& sink, WireFormat format, bool offered_opus) {
  assert(find(id) == nullptr);
  listeners_.try_emplace(id, context_, id, sink, format, offered_opus);
  const auto update = metrics_.atomic_update();
  metrics_.connections.add();
  metrics_.active_connections.set(static_cast<double>(listeners_.size()));
}

void SendQueues::begin(ConnectionId id, const InitialDelivery& initial) {
  Listener* const listener = find(id);
  if (listener == nullptr || listener->sender.closing()) return;
  listener->sender.set_station(initial.station);
  leave_phase(*listener);
  listener->phase = initial.phase;
  phases_.at(initial.phase).push_back(listener);
  for (const auto& message : initial.messages) listener->sender.send_initial(message);
  for (const auto& audio : initial.past) listener->sender.send_past(audio);
}

void SendQueues::leave_phase(Listener& listener) {
  if (!listener.phase) return;
  auto& phase = phases_.at(*listener.phase);
  const auto found = std::find(phase.begin(), phase.end(), &listener);
  assert(found != phase.end());
  phase.erase(found);
  listener.phase.reset();
}

void SendQueues::switch_station(ConnectionId id, const StationId& station) {
  if (Listener* const listener = find(id)) listener->sender.set_station(station);
}

void SendQueues::move(const StationId& from, const StationId& to) {
  assert(thread_.is_current());
  for (auto& [id, listener] : listeners_) {
    // A listener that waits for its station has none yet.
    if (listener.phase && listener.sender.station() == from) listener.sender.set_station(to);
  }
}

void SendQueues::set_format(ConnectionId id, WireFormat format, bool stepped_down) {
  Listener* const listener = find(id);
  if (listener == nullptr) return;
  listener->sender.set_format(format);
  if (!stepped_down) return;
  metrics_.stepped_down.add();
  log_debug("slow listener: stepped down to Opus", {{"listener", static_cast<std::int64_t>(id)}});
  listener->sender.announce_step_down();
}

void SendQueues::deliver(const Delivery& delivery) {
  assert(thread_.is_current());
  WireMessagePtr warning;  // the same for all listeners: they are at the same chunk
  const std::vector<Listener*>& phase = phases_.at(delivery.phase);
  for (std::size_t i = 0; i < phase.size(); ++i) {
    // While one is written to, the next ones come into the processor's cache, from one pointer to the next.
    if (i + 3 < phase.size()) __builtin_prefetch(phase[i + 3]);
    if (i + 2 < phase.size()) __builtin_prefetch(phase[i + 2]->sender.sink());
    if (i + 1 < phase.size()) phase[i + 1]->sender.sink()->expect();
    Listener& listener = *phase[i];
    if (listener.sender.closing()) continue;
    const auto found =
        std::find_if(delivery.stations.begin(), delivery.stations.end(),
                     [&](const StationAudio& one) { return one.station == listener.sender.station(); });
    if (found != delivery.stations.end()) deliver_to(listener, *found, delivery.due_ns, warning);
  }
}

void SendQueues::deliver_to(Listener& listener, const StationAudio& station, std::int64_t due_ns,
                            WireMessagePtr& warning) {
  const auto format = static_cast<std::size_t>(listener.sender.format());
  if (station.lost[format]) listener.sender.lose_chunk(station.lost_seq, due_ns);
  const AudioMessagePtr& audio = station.formats.at(format);
  if (!audio) return;
  if (audio->silence) {
    if (!warning) warning = make_text_message(underrun_message(audio->seq));
    listener.sender.send_text(warning);
  }
  send_status_if_due(listener);
  listener.sender.send_chunk(audio, due_ns);
}

void SendQueues::send_status_if_due(Listener& listener) {
  const std::int64_t now_ns = clock_.now_ns();
  if (now_ns - listener.last_status_ns < kStatusIntervalNs) return;
  listener.last_status_ns = now_ns;
  listener.sender.send_text(make_text_message(buffer_status_message(status_of(listener))));
}

void SendQueues::send_text(ConnectionId id, const WireMessagePtr& message) {
  if (Listener* const listener = find(id)) listener->sender.send_text(message);
}

void SendQueues::send_text(const StationId& station, const WireMessagePtr& message) {
  assert(thread_.is_current());
  for (auto& [id, listener] : listeners_) {
    if (listener.sender.station() == station) listener.sender.send_text(message);
  }
}

void SendQueues::send_text_to_all(const WireMessagePtr& message) {
  assert(thread_.is_current());
  for (auto& [id, listener] : listeners_) listener.sender.send_text(message);
}

void SendQueues::flush(ConnectionId id) {
  if (Listener* const listener = find(id)) listener->sender.flush();
}

void SendQueues::set_max_backlog(ConnectionId id, std::int64_t age_ns) {
  if (Listener* const listener = find(id)) listener->sender.set_max_backlog(age_ns);
}

}  // namespace auralis
