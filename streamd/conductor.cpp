// SPDX-License-Identifier: MIT
#include "streamd/conductor.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/log.h"

namespace auralis {
namespace {

constexpr std::int64_t kRefreshNs =
    100 * kNsPerMs;  // how often to look for a restarted synthd and a changed status
constexpr std::int64_t kWaitingRefreshNs = 5 * kNsPerMs;  // while a listener waits for its station
// Between two steps, on a busy machine.
constexpr std::int64_t kMaxStepNs = 500 * kNsPerMs;
constexpr std::int64_t kBitsPerKbit = 1'000;

}  // namespace

Conductor::Conductor(LaneContext& context, MetricsWriter& segment, StreamMetrics& metrics)
    : context_(context),
      config_(context.config),
      clock_(context.clock),
      process_time_(clock_, kMaxStepNs),
      segment_(segment),
      metrics_(metrics),
      labels_(segment),
      pump_(config_.daemon_dir(Daemon::kSynthd), clock_, metrics, prefill_chunks(),
            config_.streamd.opus_kbps * kBitsPerKbit),
      stations_(config_.daemon_dir(Daemon::kStreamd), pump_.reader(), clock_, process_time_),
      delivery_(pump_, audience_, clock_, [this](std::size_t lane, Delivery delivery) {
        on_lane(lane, [delivery = std::move(delivery)](Lane& one) { one.hub().deliver(delivery); });
      }) {
  last_step_ns_.store(clock_.now_ns(), std::memory_order_relaxed);
}

std::int64_t Conductor::prefill_chunks() const { return config_.streamd.prefill_ms / config_.audio.chunk_ms; }

void Conductor::post(std::function<void()> work) { lanes_.front()->network().post(std::move(work)); }

void Conductor::on_lane(std::size_t lane, std::function<void(Lane&)> work) {
  Lane* const one = lanes_.at(lane);
  one->network().post([one, work = std::move(work)] { work(*one); });
}
void Conductor::on_all_lanes(const std::function<void(Lane&)>& work) {
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) on_lane(lane, work);
}

std::int64_t Conductor::step() {
  process_time_.step();
  const std::int64_t now_ns = clock_.now_ns();
  last_step_ns_.store(now_ns, std::memory_order_relaxed);
  if (now_ns >= next_refresh_ns_) {
    next_refresh_ns_ = now_ns + (waiting_.empty() ? kRefreshNs : kWaitingRefreshNs);
    segment_.beat(now_ns);
    stations_.beat();
    refresh();
  }
  if (now_ns >= next_second_ns_) {
    next_second_ns_ = now_ns + kNsPerSecond;
    on_all_lanes([](Lane& lane) { lane.look_after(); });
    stations_.close_idle([this](const StationPlace& place) { return audience_.listeners_of(place) > 0; });
  }
  std::int64_t next_ns = delivery_.step();
  if (!waiting_.empty()) {
    welcome_waiting();
    next_ns = delivery_.step();
  }
  return std::min(next_ns, next_refresh_ns_);
}

void Conductor::refresh() {
  const auto changes = stations_.refresh(pump_.refresh());
  follow_rate();
  if (!changes.came.empty() || !changes.gone.empty()) adopt(changes);
  publish_directory();
  tell_changed_status();
}

// A WAV stream cannot change its rate. Who listens to one asks again.
void Conductor::follow_rate() {
  if (!pump_.has_timeline()) return;
  const std::uint32_t rate = pump_.timeline().sample_rate;
  const std::uint32_t before = std::exchange(sample_rate_, rate);
  if (before == 0 || before == rate) return;
  on_all_lanes([](Lane& lane) {
    lane.hub().close_all_in(WireFormat::kWav, close_code::kStationGone, "the sample rate is another");
  });
}

// Stations have come or gone.
void Conductor::adopt(const Stations::Changes& changes) {
  std::vector<std::string_view> names;
  for (const StationPlace& place : stations_.configured()) names.emplace_back(stations_.find(place)->name);
  labels_.keep(names);
  for (const StationPlace& place : changes.came) {
    const StationState& state = *stations_.find(place);
    StreamMetrics::StationMetrics* figures = &metrics_.personal;
    if (state.personal == 0) {
      if (const auto label = labels_.label_of(state.name)) figures = &metrics_.configured.at(*label);
    }
    pump_.add(place, state.name, state.personal == 0, *figures);
  }
  for (const auto& gone : changes.gone) {
    pump_.remove(gone.place);
    told_.erase(gone.name);
    follow(gone);
  }
  // Those who came before any station did.
  if (const auto place = stations_.usual()) move({}, *place);
  metrics_.station_places.set(static_cast<double>(stations_.places()));
  metrics_.configured_stations.set(static_cast<double>(names.size()));
  metrics_.personal_stations.set(static_cast<double>(stations_.personal()));
}

// A synthd that began anew has its stations elsewhere.
void Conductor::follow(const Stations::Gone& gone) {
  if (const auto place = stations_.find(gone.name)) return move(gone.place, *place);
  if (const auto other = gone.link ? stations_.open(*gone.link) : std::nullopt)
    return move(gone.place, *other);
  // Who still waits for it is known here alone.
  for (const Waiting& one : take_waiting([&](const Waiting& each) { return each.place == gone.place; })) {
    give_up(one.id);
    refuse_changes(one);
  }
  if (gone.name.empty()) return;
  on_all_lanes([place = gone.place](Lane& lane) {
    lane.hub().close_all_of(place, close_code::kStationGone, "the station is no more");
  });
}

// The station that a listener waits for cannot be had.
void Conductor::give_up(ConnectionId id) {
  const auto* const listener = audience_.find(id);
  if (listener == nullptr) return;
  if (listener->delivered_to)
    return refuse(id, {"no_place", "The station could not be started; try again later.", "subscribe"});
  on_lane(listener->lane, [id](Lane& lane) {
    lane.hub().close(id, close_code::kTryAgainLater, "the station could not be started");
  });
}

void Conductor::move(const StationPlace& from, const StationPlace& to) {
  audience_.move(from, to);
  for (Waiting& one : waiting_) {
    if (one.place == from) one.place = to;
  }
  on_all_lanes([from, to](Lane& lane) { lane.hub().move(from, to); });
}

Directory Conductor::directory() const {
  Directory directory;
  for (const auto& [place, state] : stations_.all())
    directory.stations.push_back({state->name, place, state->personal != 0});
  directory.usual = stations_.usual();
  directory.free_places = stations_.free_places();
  directory.synthd_there = pump_.reader().segment().writer_alive();
  if (pump_.reader().ready()) directory.timeline = pump_.reader().timeline();
  directory.not_ready_reason = not_ready_reason();
  return directory;
}

void Conductor::publish_directory() {
  auto now = std::make_shared<const Directory>(directory());
  if (*now == *directory_) return;
  directory_ = std::move(now);
  on_all_lanes([directory = directory_](Lane& lane) { lane.show(directory); });
}

std::optional<std::string> Conductor::not_ready_reason() const {
  if (!pump_.has_timeline()) return "no audio yet: " + pump_.reader().describe();
  if (!pump_.flowing()) return "silence is being sent: synthd does not deliver";
  return std::nullopt;
}

StatusContext Conductor::status_context(const StationPlace& station) const {
  return {pump_.has_timeline() ? pump_.timeline() : Timeline{}, audience_.listeners_of(station),
          server_time()};
}

// What changed of a station goes to all its listeners; what they know, each was told when it came.
void Conductor::tell_changed_status() {
  for (const StationPlace& place : audience_.stations()) {
    const auto status = stations_.status(place);
    if (!status) continue;
    const auto known = told_.find(status->station);
    if (known != told_.end() && known->second == *status) continue;
    told_[status->station] = *status;
    // One text for all leaves the subprotocol out, which each knows since its first.
    const auto message = make_text_message(status_message(*status, status_context(place), {}));
    on_all_lanes([place, message](Lane& lane) { lane.hub().send_text(place, message); });
  }
}

void Conductor::arrive(ConnectionId id, const Arrival& arrival) {
  const auto place = place_for(arrival.want, arrival.reserved);
  audience_.add(id, arrival.lane, arrival.format, place.value_or(StationPlace{}));
  if (!place) return give_up(id);  // gone since it was admitted
  wait_for(id, *place, false);
}

void Conductor::subscribe(ConnectionId id, const Wanted& want, bool reserved) {
  // What it asked for before may have begun by now.
  if (!waiting_.empty()) {
    delivery_.step();
    welcome_waiting();
  }
  const auto place = place_for(want, reserved);
  const auto* const listener = audience_.find(id);
  if (listener == nullptr) return;
  if (!place) return give_up(id);
  if (!listener->delivered_to) audience_.retune(id, *place);
  wait_for(id, *place, true);
}

// What it waited for before does not count any more.
void Conductor::wait_for(ConnectionId id, const StationPlace& place, bool subscribed) {
  for (const Waiting& former : take_waiting([&](const Waiting& one) { return one.id == id; })) {
    if (former.subscribed)
      refuse(id, {"unavailable", "Another station was asked for before this one began.", "subscribe"});
    refuse_changes(former);
  }
  waiting_.push_back({id, place, subscribed, {}});
  next_refresh_ns_ = 0;
  lanes_.front()->network().step_now();
}

std::optional<StationPlace> Conductor::place_for(const Wanted& want, bool reserved) {
  std::optional<StationPlace> place = want.place;
  if (want.link) {
    place = stations_.open(*want.link);
    publish_directory();
  }
  if (reserved) context_.coming_personal.fetch_sub(1, std::memory_order_relaxed);
  // The lane may have known a station that is gone by now. One that began anew elsewhere has its name.
  if (!want.link && !want.name.empty() && stations_.find(want.place) == nullptr)
    return stations_.find(want.name);
  return place;
}

void Conductor::leave(ConnectionId id) { audience_.remove(id); }

// Listeners whose station plays by now are sent its status, and sound.
void Conductor::welcome_waiting() {
  const auto served = take_waiting(
      [this](const Waiting& one) { return audience_.find(one.id) == nullptr || pump_.plays(one.place); });
  for (const Waiting& one : served) {
    const auto* const listener = audience_.find(one.id);
    if (listener == nullptr) continue;
    if (listener->delivered_to) {
      retune(one.id, *listener, one.place);
    } else {
      welcome(one.id, *listener);
    }
    for (const ClientMessage& message : one.changes) change(one.id, message);
  }
}

std::vector<Conductor::Waiting> Conductor::take_waiting(const std::function<bool(const Waiting&)>& which) {
  const auto taken = std::stable_partition(waiting_.begin(), waiting_.end(),
                                           [&](const Waiting& one) { return !which(one); });
  std::vector<Waiting> result(std::make_move_iterator(taken), std::make_move_iterator(waiting_.end()));
  waiting_.erase(taken, waiting_.end());
  return result;
}

void Conductor::welcome(ConnectionId id, const Audience::Listener& listener) {
  const StationPlace place = listener.station;
  Welcome welcome{place, listener.slot, {}, {}};
  if (const auto status = stations_.status(place); status && !is_plain_http(listener.format)) {
    welcome.messages.push_back(
        make_text_message(status_message(*status, status_context(place), format_name(listener.format))));
    if (audience_.listeners_of(place) == 1) told_[status->station] = *status;
  }
  welcome.past = delivery_.prefill(place, listener.slot, listener.format, prefill_chunks());
  // After the past was encoded: it tells where the stream begins.
  if (const auto head = pump_.stream_head(place, listener.format)) welcome.messages.push_back(head);
  audience_.begin(id);
  on_lane(listener.lane, [id, welcome = std::move(welcome)](Lane& lane) { lane.hub().begin(id, welcome); });
}

// It has what it hears queued; the other station follows without a gap in the numbers.
void Conductor::retune(ConnectionId id, const Audience::Listener& listener, const StationPlace& place) {
  const auto status = stations_.status(place);
  const std::string name = status ? status->station : std::string();
  const std::int64_t seq = delivery_.next_chunk(listener.slot).value_or(0);
  const auto message = make_text_message(subscribed_message(name, seq));
  on_lane(listener.lane, [id, place, message](Lane& lane) {
    lane.hub().send_text(id, message);
    lane.hub().retune(id, place);
  });
  audience_.retune(id, place);
  tell_status(id);
}

void Conductor::tell_status(ConnectionId id) {
  const auto* const listener = audience_.find(id);
  if (listener == nullptr) return;
  const auto status = stations_.status(listener->station);
  const std::string answer =
      status ? status_message(*status, status_context(listener->station), format_name(listener->format))
             : error_message({"unavailable", "The station does not play yet.", "status"});
  on_lane(listener->lane,
          [id, message = make_text_message(answer)](Lane& lane) { lane.hub().send_text(id, message); });
}

void Conductor::set_format(ConnectionId id, WireFormat format, bool stepped_down) {
  const auto* const listener = audience_.find(id);
  if (listener == nullptr || listener->format == format) return;
  audience_.set_format(id, format);
  on_lane(listener->lane, [=](Lane& lane) { lane.hub().set_format(id, format, stepped_down); });
}

}  // namespace auralis
