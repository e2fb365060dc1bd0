// SPDX-License-Identifier: MIT
// How listeners come, change their station or their format, and leave.
#include <algorithm>
#include <iterator>
#include <utility>

#include "streamd/control/conductor.h"

namespace auralis {
namespace {

// A listener waits so long for encoders that do not keep up; then it gets what there is.
constexpr std::int64_t kEncodingLimitNs = 2 * kNsPerSecond;

}  // namespace

void Conductor::add(ConnectionId id, const NewListener& listener) {
  const auto place = station_for(listener.station);
  subscriptions_.add(id, listener.worker, listener.format, place.value_or(StationId{}));
  // The station has ended since the listener was admitted.
  if (!place || !secure_encoder(*place, listener.format, listener.station.encoder)) return reject(id);
  wait_for({id, *place, false, listener.station.want.link.has_value(), {}, 0});
}

void Conductor::subscribe(ConnectionId id, const ReservedStation& station) {
  if (comes_after_switch(id, [this, id, station] { subscribe(id, station); })) return;
  // What it asked for before may have begun by now.
  if (!waiting_.empty()) {
    delivery_.step();
    welcome_waiting();
  }
  const auto place = station_for(station);
  const auto* const listener = subscriptions_.find(id);
  if (listener == nullptr) return;
  if (!place) return reject(id);
  if (!secure_encoder(*place, listener->format, station.encoder))
    return refuse(id, {"no_place", std::string(kNoEncoder), "subscribe"});
  if (!listener->delivered_to) subscriptions_.switch_station(id, *place);
  wait_for({id, *place, true, station.want.link.has_value(), {}, 0});
}

// What it waited for before does not count any more.
void Conductor::wait_for(PendingListener waiting) {
  for (const PendingListener& former :
       extract_pending([id = waiting.id](const PendingListener& one) { return one.id == id; })) {
    if (former.subscribed)
      refuse(waiting.id,
             {"unavailable", "Another station was asked for before this one began.", "subscribe"});
    refuse_changes(former);
  }
  waiting_.push_back(std::move(waiting));
  next_refresh_ns_ = 0;
  step_soon_();
}

std::optional<StationId> Conductor::station_for(const ReservedStation& station) {
  const StationRequest& want = station.want;
  std::optional<StationId> place = want.place;
  if (want.link) {
    place = stations_.open(*want.link, station.personal);
    publish_directory();
  }
  if (station.reserved) context_.coming_personal.fetch_sub(1, std::memory_order_relaxed);
  // The worker may have known a station that is gone by now. One that began anew elsewhere has its name.
  if (!want.link && !want.name.empty() && stations_.find(want.place) == nullptr)
    return stations_.find(want.name);
  return place;
}

// Encoders of configured stations are always reserved; one of a personal station is, while somebody hears it
// in Opus.
bool Conductor::secure_encoder(const StationId& place, WireFormat format, const SharedPermit& encoder) {
  if (!is_opus(format) || !stations_.is_personal(place)) return true;
  const std::pair key(place.index, place.generation);
  if (encoders_.count(key) != 0) return true;
  if (!encoder) return false;
  encoders_.emplace(key, encoder);
  publish_directory();
  return true;
}

bool Conductor::needs_encoder(const StationId& place) const {
  const auto waits = [&](const PendingListener& one) { return one.place == place; };
  const auto switches = [&](const Switching& one) {
    const auto* const listener = subscriptions_.find(one.id);
    return listener != nullptr && listener->station == place;
  };
  return subscriptions_.opus_listeners_of(place) > 0 ||
         std::any_of(waiting_.begin(), waiting_.end(), waits) ||
         std::any_of(switching_.begin(), switching_.end(), switches);
}

void Conductor::release_encoders() {
  for (auto one = encoders_.begin(); one != encoders_.end();) {
    const bool needed = needs_encoder({one->first.first, one->first.second});
    one = needed ? std::next(one) : encoders_.erase(one);
  }
  metrics_.opus_stations.set(static_cast<double>(encoders_.size()));
  metrics_.opus_station_places.set(static_cast<double>(context_.encoders.places()));
}

void Conductor::remove(ConnectionId id) { subscriptions_.remove(id); }

// Listeners whose station plays by now are sent its status, and sound.
void Conductor::welcome_waiting() {
  for (PendingListener& one : waiting_) {
    if (one.plays_since_ns == 0 && pump_.plays(one.place)) one.plays_since_ns = clock_.now_ns();
  }
  const auto served = extract_pending([this](const PendingListener& one) { return ready(one); });
  for (const PendingListener& one : served) {
    const auto* const listener = subscriptions_.find(one.id);
    if (listener == nullptr) continue;
    if (listener->delivered_to) {
      switch_station(one, *listener);
    } else {
      welcome(one.id, *listener);
    }
    for (const ClientMessage& message : one.changes) change(one.id, message);
  }
}

// Whether all that a listener begins with is there: its station, and of Opus the first chunks.
bool Conductor::ready(const PendingListener& waiting) {
  const auto* const listener = subscriptions_.find(waiting.id);
  if (listener == nullptr) return true;
  if (waiting.plays_since_ns == 0) return false;
  const std::int64_t prefill = listener->delivered_to ? 0 : prefill_chunks();
  const bool encoded_now = encoded(waiting.place, *listener, listener->format, prefill);
  const bool owed =
      is_opus(listener->format) && (delivery_.owes(listener->station) || delivery_.owes(waiting.place));
  return (encoded_now && !owed) || clock_.now_ns() - waiting.plays_since_ns >= kEncodingLimitNs;
}

// Whether the listener's next chunk of that station is encoded, and `prefill` chunks before it.
bool Conductor::encoded(const StationId& place, const Subscriptions::Listener& listener, WireFormat format,
                        std::int64_t prefill) {
  const auto next = delivery_.next_chunk(listener.phase);
  return !next || pump_.prepare(place, format, *next - prefill, *next);
}

std::vector<Conductor::PendingListener> Conductor::extract_pending(
    const std::function<bool(const PendingListener&)>& which) {
  const auto taken = std::stable_partition(waiting_.begin(), waiting_.end(),
                                           [&](const PendingListener& one) { return !which(one); });
  std::vector<PendingListener> result(std::make_move_iterator(taken),
                                      std::make_move_iterator(waiting_.end()));
  waiting_.erase(taken, waiting_.end());
  return result;
}

void Conductor::welcome(ConnectionId id, const Subscriptions::Listener& listener) {
  const StationId place = listener.station;
  if (is_opus(listener.format)) delivery_.drop_owed(place);
  InitialDelivery welcome{place, listener.phase, {}, {}};
  if (const auto status = stations_.status(place); status && !is_plain_http(listener.format)) {
    welcome.messages.push_back(
        make_text_message(status_message(*status, status_context(place), format_name(listener.format))));
    if (subscriptions_.listeners_of(place) == 1) told_[status->station] = *status;
  }
  welcome.past = delivery_.prefill(place, listener.phase, listener.format, prefill_chunks());
  // After the past was encoded: it tells where the stream begins.
  const std::int64_t next = delivery_.next_chunk(listener.phase).value_or(0);
  if (const auto head = pump_.stream_head(place, listener.format, next)) welcome.messages.push_back(head);
  subscriptions_.begin(id);
  worker_of(listener).begin(id, std::move(welcome));
}

// It has what it hears queued; the other station follows without a gap in the numbers.
void Conductor::switch_station(const PendingListener& waited, const Subscriptions::Listener& listener) {
  const ConnectionId id = waited.id;
  const StationId former = listener.station;
  const StationId place = waited.place;
  // Its format may be another one since it asked.
  if (!secure_encoder(place, listener.format, nullptr))
    return refuse(id, {"no_place", std::string(kNoEncoder), "subscribe"});
  if (is_opus(listener.format)) {
    delivery_.drop_owed(former);
    delivery_.drop_owed(place);
  }
  const auto status = stations_.status(place);
  const std::string name = status ? status->station : std::string();
  const std::int64_t seq = delivery_.next_chunk(listener.phase).value_or(0);
  const auto message = make_text_message(subscribed_message(name, seq));
  worker_of(listener).switch_station(id, place, message);
  subscriptions_.switch_station(id, place);
  send_status(id);
  // A listener that goes from one station of its own to the next does not come back to the former one.
  const bool wanted = std::any_of(waiting_.begin(), waiting_.end(),
                                  [&](const PendingListener& one) { return one.place == former; });
  if (waited.own && !wanted && subscriptions_.listeners_of(former) == 0) stations_.end(former);
}

void Conductor::send_status(ConnectionId id) {
  const auto* const listener = subscriptions_.find(id);
  if (listener == nullptr) return;
  const auto status = stations_.status(listener->station);
  const std::string answer =
      status ? status_message(*status, status_context(listener->station), format_name(listener->format))
             : error_message({"unavailable", "The station does not play yet.", "status"});
  send(*listener, id, answer);
}

void Conductor::set_format(ConnectionId id, const FormatRequest& request) {
  const auto* const listener = subscriptions_.find(id);
  if (listener == nullptr) return;
  if (request.format && !secure_encoder(listener->station, *request.format, request.encoder)) {
    if (!request.stepped_down) refuse(id, {"no_place", std::string(kNoEncoder), "buffer_control"});
    return;
  }
  switching_.push_back({id, request.format, request.stepped_down, clock_.now_ns(),
                        [this, id, answers = !request.stepped_down] {
                          const auto* const one = subscriptions_.find(id);
                          if (one != nullptr && answers) worker_of(*one).send_buffer_status(id);
                        }});
  switch_formats();
  if (!switching_.empty()) step_soon_();
}

bool Conductor::ready(const Switching& switching) {
  const auto* const listener = subscriptions_.find(switching.id);
  if (listener == nullptr || !switching.format || listener->format == switching.format) return true;
  if (!listener->delivered_to) return true;
  const bool encoded_now = encoded(listener->station, *listener, *switching.format, 0);
  const bool opus = is_opus(listener->format) || is_opus(*switching.format);
  return (encoded_now && !(opus && delivery_.owes(listener->station))) ||
         clock_.now_ns() - switching.since_ns >= kEncodingLimitNs;
}

// Whether a switch of the listener's is under way, after which `work` will be done.
bool Conductor::comes_after_switch(ConnectionId id, std::function<void()> work) {
  const bool switches =
      std::any_of(switching_.begin(), switching_.end(), [id](const Switching& one) { return one.id == id; });
  if (switches) switching_.push_back({id, std::nullopt, false, clock_.now_ns(), std::move(work)});
  return switches;
}

// A listener's formats come into force in the order in which they were asked for.
void Conductor::switch_formats() {
  std::vector<Switching> still;
  for (Switching& one : std::exchange(switching_, {})) {
    const bool in_turn =
        std::none_of(still.begin(), still.end(), [&](const Switching& other) { return other.id == one.id; });
    if (in_turn && ready(one)) {
      switch_format(one);
    } else {
      still.push_back(std::move(one));
    }
  }
  switching_ = std::move(still);
}

void Conductor::switch_format(const Switching& switching) {
  const auto* const listener = subscriptions_.find(switching.id);
  if (listener != nullptr && switching.format && listener->format != *switching.format) {
    if (is_opus(listener->format) || is_opus(*switching.format)) delivery_.drop_owed(listener->station);
    subscriptions_.set_format(switching.id, *switching.format);
    worker_of(*listener).set_format(switching.id, *switching.format, switching.stepped_down);
  }
  switching.done();
}

}  // namespace auralis
