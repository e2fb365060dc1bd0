// SPDX-License-Identifier: MIT
// Adds and removes listeners, and switches their station and their format.
#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "streamd/control/conductor.h"
#include "streamd/control/overloaded.h"

namespace auralis {
namespace {

// The longest wait of a listener for encoders that do not keep up; then it gets what there is.
constexpr std::int64_t kEncodingLimitNs = 2 * kNsPerSecond;

}  // namespace

void Conductor::add(ConnectionId id, const NewListener& listener) {
  assert(checker_.is_current());
  assert(listener.worker < workers_.size() && subscriptions_.find(id) == nullptr);
  const auto station = station_for(listener.station);
  const ListenerLedger::Place place{station.value_or(StationId{}), listener.format};
  ledger_.add(place);
  subscriptions_.add(id, listener.worker, place.format, place.station, listener.actor, clock_.now_ns(),
                     lead_chunks(place.format, listener.station.want.lead_ms));
  // The station may have ended since the listener was admitted.
  if (!station || !secure_encoder(*station, listener.format, listener.station.encoder)) return reject(id);
  const StationRequest& want = listener.station.want;
  wait_for({*station, false, want.link.has_value(), {}, 0, want.after}, id);
}

void Conductor::remove(ConnectionId id, DisconnectReason reason) {
  assert(checker_.is_current());
  if (const auto* const listener = subscriptions_.find(id))
    ledger_.remove({listener->station, listener->format}, reason, listener->since_ns);
  subscriptions_.remove(id);
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  for (const auto& request : found->second.requests) {
    if (const auto* station = std::get_if<ReservedStation>(&request)) release_reservation(*station);
  }
  pending_.erase(found);
}

void Conductor::subscribe(ConnectionId id, const ReservedStation& station) {
  assert(checker_.is_current());
  if (waits_for_format(id)) return pending_[id].requests.push_back(station);
  subscribe_now(id, station);
}

void Conductor::subscribe_now(ConnectionId id, const ReservedStation& reserved) {
  // The station that the listener requested before may be ready by now.
  if (waits_for_station()) {
    delivery_.step();
    serve_stations();
  }
  const auto station = station_for(reserved);
  const auto* const listener = subscriptions_.find(id);
  if (listener == nullptr) return;
  if (!station) return reject(id);
  if (!secure_encoder(*station, listener->format, reserved.encoder))
    return refuse(id, {"no_place", std::string(kNoEncoder), "subscribe"});
  if (!listener->delivered_to) subscriptions_.switch_station(id, *station);
  wait_for({*station, true, reserved.want.link.has_value(), {}, 0, {}}, id);
}

// Supersedes the station that the listener waited for before.
void Conductor::wait_for(PendingStation station, ConnectionId id) {
  if (const auto former = extract_station(id)) {
    if (former->subscribed)
      refuse(id, {"unavailable", "Superseded by a request for another station.", "subscribe"});
    refuse_changes(id, *former);
  }
  assert(subscriptions_.find(id) != nullptr);
  pending_[id].station = std::move(station);
  next_refresh_ns_ = 0;
  step_soon_();
}

std::optional<StationId> Conductor::station_for(const ReservedStation& reserved) {
  const StationRequest& want = reserved.want;
  std::optional<StationId> station = want.id;
  if (want.link) {
    station = open_personal(*want.link, reserved.personal);
    publish_directory();
  }
  release_reservation(reserved);
  if (want.link || stations_.find(want.id) != nullptr) return station;
  // The worker knew of none yet, and here there may be some by now.
  if (want.name.empty()) return stations_.default_station().value_or(want.id);
  // The worker may have meant a station that is gone by now. After a restart of synthd it may have another
  // row of the table, and the same name.
  return stations_.find(want.name);
}

void Conductor::release_reservation(const ReservedStation& reserved) {
  if (reserved.reserved) context_.pending_personal.fetch_sub(1, std::memory_order_relaxed);
}

// Encoders of configured stations are always reserved; that of a personal station is while a listener hears
// it in Opus, or is about to.
bool Conductor::secure_encoder(const StationId& station, WireFormat format, const SharedPermit& encoder) {
  if (!is_opus(format) || !stations_.is_personal(station)) return true;
  const std::pair key(station.index, station.generation);
  if (encoders_.count(key) != 0) return true;
  if (!encoder) return false;
  encoders_.emplace(key, encoder);
  publish_directory();
  return true;
}

bool Conductor::needs_encoder(const StationId& station) const {
  const auto waits = [&](const auto& entry) {
    const auto& [id, pending] = entry;
    if (pending.station && pending.station->station == station) return true;
    return !pending.requests.empty() && subscriptions_.find(id)->station == station;
  };
  return subscriptions_.opus_listeners_of(station) > 0 ||
         std::any_of(pending_.begin(), pending_.end(), waits);
}

void Conductor::release_encoders() {
  for (auto one = encoders_.begin(); one != encoders_.end();) {
    const bool needed = needs_encoder({one->first.first, one->first.second});
    one = needed ? std::next(one) : encoders_.erase(one);
  }
  metrics_.opus_stations.set(static_cast<double>(encoders_.size()));
  metrics_.opus_station_capacity.set(static_cast<double>(context_.encoders.total()));
}

bool Conductor::waits_for_station() const {
  return std::any_of(pending_.begin(), pending_.end(),
                     [](const auto& entry) { return entry.second.station.has_value(); });
}
bool Conductor::waits_for_format(ConnectionId id) const {
  const auto found = pending_.find(id);
  return found != pending_.end() && !found->second.requests.empty();
}

// A copy: serving a listener changes pending_.
std::vector<ConnectionId> Conductor::pending_ids(
    const std::function<bool(const PendingListener&)>& which) const {
  std::vector<ConnectionId> ids;
  for (const auto& [id, pending] : pending_) {
    if (which(pending)) ids.push_back(id);
  }
  return ids;
}

std::optional<PendingStation> Conductor::extract_station(ConnectionId id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return std::nullopt;
  auto station = std::exchange(found->second.station, std::nullopt);
  if (found->second.requests.empty()) pending_.erase(found);
  return station;
}

// Listeners whose station plays by now hear it.
void Conductor::serve_stations() {
  std::vector<ConnectionId> ready_ids;
  for (auto& [id, pending] : pending_) {
    auto& waited = pending.station;
    if (!waited) continue;
    if (waited->plays_since_ns == 0 && pump_.plays(waited->station)) waited->plays_since_ns = clock_.now_ns();
    if (ready(id, *waited)) ready_ids.push_back(id);
  }
  for (const ConnectionId id : ready_ids) {
    const PendingStation station = *extract_station(id);
    const Subscriptions::Listener& listener = *subscriptions_.find(id);
    if (listener.delivered_to) {
      switch_station(id, station, listener);
    } else {
      begin(id, station, listener);
    }
    for (const ClientMessage& message : station.changes) change_now(id, message);
  }
}

// Whether all that the listener begins with is there: its station, a turn from which its first chunks count,
// and of Opus those chunks.
bool Conductor::ready(ConnectionId id, const PendingStation& waited) {
  assert(subscriptions_.find(id) != nullptr);
  if (waited.plays_since_ns == 0) return false;
  const Subscriptions::Listener& listener = *subscriptions_.find(id);
  const auto first = listener.delivered_to ? delivery_.next_chunk(listener) : first_chunk(waited, listener);
  const bool encoded_now = first && encoded(waited.station, listener, listener.format, first);
  const bool owed =
      is_opus(listener.format) && (delivery_.owes(listener.station) || delivery_.owes(waited.station));
  return (encoded_now && !owed) || clock_.now_ns() - waited.plays_since_ns >= kEncodingLimitNs;
}

// Whether that station's chunks from `first` to the listener's next one are encoded.
bool Conductor::encoded(const StationId& station, const Subscriptions::Listener& listener, WireFormat format,
                        std::optional<std::int64_t> first) {
  const auto next = delivery_.next_chunk(listener);
  return !next || !first || pump_.prepare(station, format, *first, *next);
}

// The first chunk of a listener that begins: the one that it missed first, or, if it is new, some chunks
// before the turn. Nothing before the first turn.
std::optional<std::int64_t> Conductor::first_chunk(const PendingStation& waited,
                                                   const Subscriptions::Listener& listener) const {
  const auto next = delivery_.next_chunk(listener);
  if (!next) return std::nullopt;
  const std::int64_t turn = *next - listener.lead;
  // In an earlier phase than before, the listener may have the next ones, too.
  if (waited.after && *waited.after >= *next && *waited.after <= *next + listener.lead) return next;
  if (!waited.after || *waited.after >= *next) return turn - prefill_chunks();
  return std::max(*waited.after + 1, turn - pump_.past_chunks());
}

void Conductor::begin(ConnectionId id, const PendingStation& waited,
                      const Subscriptions::Listener& listener) {
  const StationId station = listener.station;
  if (is_opus(listener.format)) delivery_.drop_owed(station);
  InitialDelivery initial{station, listener.phase, {}, {}, listener.lead};
  if (const auto status = stations_.status(station); status && !is_plain_http(listener.format)) {
    initial.messages.push_back(
        make_text_message(status_message(*status, status_context(station), format_name(listener.format))));
    if (subscriptions_.connections_to(station) == 1) sent_status_[status->station] = *status;
  }
  if (has_audio(listener.format)) {
    if (const auto first = first_chunk(waited, listener))
      initial.prefill = delivery_.prefill(listener, *first);
    // After the past chunks were encoded: the head tells where the stream begins.
    const std::int64_t next = delivery_.next_chunk(listener).value_or(0);
    if (const auto head = pump_.stream_head(station, listener.format, next)) initial.messages.push_back(head);
  }
  subscriptions_.begin(id);
  worker_of(listener).begin(id, std::move(initial));
}

// The other station follows what the listener has queued, without a gap in the numbers.
void Conductor::switch_station(ConnectionId id, const PendingStation& waited,
                               const Subscriptions::Listener& listener) {
  const StationId former = listener.station;
  const StationId station = waited.station;
  // The format may have been switched since the request.
  if (!secure_encoder(station, listener.format, nullptr))
    return refuse(id, {"no_place", std::string(kNoEncoder), "subscribe"});
  if (is_opus(listener.format)) {
    delivery_.drop_owed(former);
    delivery_.drop_owed(station);
  }
  const auto status = stations_.status(station);
  const std::string name = status ? status->station : std::string();
  const std::int64_t seq = delivery_.next_chunk(listener).value_or(0);
  worker_of(listener).switch_station(id, station, make_text_message(subscribed_message(name, seq)));
  subscriptions_.switch_station(id, station);
  send_status(id);
  // A listener that goes from one personal station to the next does not return to the former one.
  const bool wanted = std::any_of(pending_.begin(), pending_.end(), [&](const auto& entry) {
    return entry.second.station && entry.second.station->station == former;
  });
  if (waited.own && !wanted && subscriptions_.connections_to(former) == 0) stations_.end(former);
}

void Conductor::set_format(ConnectionId id, const FormatRequest& request) {
  assert(checker_.is_current());
  const auto* const listener = subscriptions_.find(id);
  if (listener == nullptr) return;
  if (request.format && !secure_encoder(listener->station, *request.format, request.encoder)) {
    if (!request.stepped_down) refuse(id, {"no_place", std::string(kNoEncoder), "buffer_control"});
    return;
  }
  pending_[id].requests.emplace_back(PendingFormat{request.format, request.stepped_down, clock_.now_ns()});
  serve_requests(id);
  if (waits_for_format(id)) step_soon_();
}

void Conductor::serve_requests() {
  const auto waits = [](const PendingListener& pending) { return !pending.requests.empty(); };
  for (const ConnectionId id : pending_ids(waits)) serve_requests(id);
}

// Serves the listener's requests in turn, up to a format that it cannot be switched to yet.
void Conductor::serve_requests(ConnectionId id) {
  for (auto found = pending_.find(id); found != pending_.end(); found = pending_.find(id)) {
    auto& requests = found->second.requests;
    if (requests.empty()) {
      if (!found->second.station) pending_.erase(found);
      return;
    }
    const auto* const format = std::get_if<PendingFormat>(&requests.front());
    if (format != nullptr && !ready(id, *format)) return;
    const auto request = std::move(requests.front());
    requests.pop_front();
    std::visit(Overloaded{[&](const PendingFormat& one) { switch_format(id, one); },
                          [&](const ClientMessage& message) { change_now(id, message); },
                          [&](const ReservedStation& station) { subscribe_now(id, station); }},
               request);
  }
}

bool Conductor::ready(ConnectionId id, const PendingFormat& waited) {
  assert(subscriptions_.find(id) != nullptr);
  const Subscriptions::Listener& listener = *subscriptions_.find(id);
  if (!waited.format || listener.format == waited.format || !listener.delivered_to) return true;
  const bool encoded_now =
      encoded(listener.station, listener, *waited.format, delivery_.next_chunk(listener));
  const bool opus = is_opus(listener.format) || is_opus(*waited.format);
  return (encoded_now && !(opus && delivery_.owes(listener.station))) ||
         clock_.now_ns() - waited.since_ns >= kEncodingLimitNs;
}

void Conductor::switch_format(ConnectionId id, const PendingFormat& waited) {
  const Subscriptions::Listener& listener = *subscriptions_.find(id);
  WorkerProxy& worker = worker_of(listener);
  if (waited.format && listener.format != *waited.format) {
    if (is_opus(listener.format) || is_opus(*waited.format)) delivery_.drop_owed(listener.station);
    subscriptions_.set_format(id, *waited.format);
    worker.set_format(id, *waited.format, waited.stepped_down);
  }
  if (!waited.stepped_down) worker.send_buffer_status(id);
}

}  // namespace auralis
