// SPDX-License-Identifier: MIT
#include "streamd/control/conductor.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/log.h"

namespace auralis {
namespace {

constexpr std::int64_t kRefreshNs =
    100 * kNsPerMs;  // how often to look for a restarted synthd and a changed status
constexpr std::int64_t kWaitingRefreshNs = 5 * kNsPerMs;  // while a listener waits for its station
constexpr std::int64_t kTellingNs = 2 * kNsPerMs;         // at each refresh, for what listeners are told
// Between two steps, on a busy machine.
constexpr std::int64_t kMaxStepNs = 500 * kNsPerMs;
constexpr std::int64_t kBitsPerKbit = 1'000;
constexpr std::int64_t kEncodingStepNs = 2 * kNsPerMs;  // while a listener waits for encoded chunks

}  // namespace

Conductor::Conductor(WorkerContext& context, MetricsWriter& segment, StreamMetrics& metrics,
                     EncodingExecutor& encoding)
    : context_(context),
      config_(context.config),
      clock_(context.clock),
      process_time_(clock_, kMaxStepNs),
      segment_(segment),
      metrics_(metrics),
      labels_(segment),
      pump_(config_.daemon_dir(Daemon::kSynthd), clock_, metrics, encoding, prefill_chunks(),
            config_.streamd.opus_kbps * kBitsPerKbit),
      stations_(config_.daemon_dir(Daemon::kStreamd), pump_.reader(), clock_, process_time_),
      delivery_(pump_, subscriptions_, clock_, [this](std::size_t worker, Delivery delivery) {
        workers_.at(worker).deliver(std::move(delivery));
      }) {
  last_step_ns_.store(clock_.now_ns(), std::memory_order_relaxed);
}

std::int64_t Conductor::prefill_chunks() const { return config_.streamd.prefill_ms / config_.audio.chunk_ms; }

void Conductor::conduct(std::vector<WorkerProxy> workers, std::function<void()> step_soon) {
  workers_ = std::move(workers);
  step_soon_ = std::move(step_soon);
}

std::int64_t Conductor::step() {
  process_time_.step();
  const std::int64_t now_ns = clock_.now_ns();
  last_step_ns_.store(now_ns, std::memory_order_relaxed);
  if (now_ns >= next_refresh_ns_) {
    next_refresh_ns_ = now_ns + (waits_for_station() ? kWaitingRefreshNs : kRefreshNs);
    segment_.beat(now_ns);
    stations_.beat();
    refresh();
  }
  if (now_ns >= next_second_ns_) {
    next_second_ns_ = now_ns + kNsPerSecond;
    for (WorkerProxy& worker : workers_) worker.check_timeouts();
    stations_.close_idle([this](const StationId& place) { return subscriptions_.listeners_of(place) > 0; });
  }
  std::int64_t next_ns = std::min(delivery_.step(), next_refresh_ns_);
  if (pending_.empty()) return next_ns;
  serve_stations();
  serve_requests();
  next_ns = std::min(delivery_.step(), next_refresh_ns_);
  return pending_.empty() ? next_ns : std::min(next_ns, clock_.now_ns() + kEncodingStepNs);
}

void Conductor::refresh() {
  const auto changes = stations_.refresh(pump_.refresh());
  close_streams_of_other_rate();
  if (!changes.came.empty() || !changes.gone.empty()) apply(changes);
  for (const auto& change : changes.taken_back) {
    const auto message = make_text_message(taken_back_message(change.request, change.target));
    for (WorkerProxy& worker : workers_) worker.send_text_to_station(change.place, message);
  }
  release_encoders();
  publish_directory();
  send_changed_status();
}

// A WAV stream cannot change its rate. Who listens to one asks again.
void Conductor::close_streams_of_other_rate() {
  if (!pump_.has_timeline()) return;
  const std::uint32_t rate = pump_.timeline().sample_rate;
  const std::uint32_t before = std::exchange(sample_rate_, rate);
  if (before == 0 || before == rate) return;
  for (WorkerProxy& worker : workers_)
    worker.close_format(WireFormat::kWav, close_code::kStationGone, "the sample rate changed");
}

// Stations have come or gone.
void Conductor::apply(const StationTable::Changes& changes) {
  std::vector<std::string_view> names;
  for (const StationId& place : stations_.configured()) names.emplace_back(stations_.find(place)->name);
  labels_.keep(names);
  for (const StationId& place : changes.came) {
    const StationState& state = *stations_.find(place);
    StreamMetrics::StationMetrics* figures = &metrics_.personal;
    if (state.personal == 0) {
      if (const auto label = labels_.label_of(state.name)) figures = &metrics_.configured.at(*label);
    }
    pump_.add(place, state.name, state.personal == 0, *figures);
  }
  for (const auto& gone : changes.gone) {
    delivery_.drop_owed(gone.place);
    pump_.remove(gone.place);
    told_.erase(gone.name);
    relocate(gone);
  }
  // Those who came before any station did.
  if (const auto place = stations_.usual()) move({}, *place);
  metrics_.station_places.set(static_cast<double>(stations_.places()));
  metrics_.configured_stations.set(static_cast<double>(names.size()));
  metrics_.personal_stations.set(static_cast<double>(stations_.personal()));
}

// A synthd that began anew has its stations elsewhere.
void Conductor::relocate(const StationTable::Gone& gone) {
  if (const auto place = stations_.find(gone.name)) {
    stations_.keep(*place, gone.permit);
    return move(gone.place, *place);
  }
  if (const auto other = gone.link ? stations_.open(*gone.link, gone.permit) : std::nullopt)
    return move(gone.place, *other);
  for (const ConnectionId id : pending_ids()) {
    const auto& waited = pending_.at(id).station;
    if (!waited || !(waited->station == gone.place)) continue;
    const PendingStation station = *extract_station(id);
    reject(id);
    refuse_changes(id, station);
  }
  if (gone.name.empty()) return;
  for (WorkerProxy& worker : workers_)
    worker.close_station(gone.place, close_code::kStationGone, "the station has ended");
}

// The station that a listener waits for cannot be had.
void Conductor::reject(ConnectionId id) {
  const auto* const listener = subscriptions_.find(id);
  if (listener == nullptr) return;
  if (listener->delivered_to)
    return refuse(id, {"no_place", "The station could not be started; try again later.", "subscribe"});
  worker_of(*listener).close(id, close_code::kTryAgainLater, "the station could not be started");
}

void Conductor::move(const StationId& from, const StationId& to) {
  subscriptions_.move(from, to);
  if (const auto encoder = encoders_.extract({from.index, from.generation}); encoder)
    secure_encoder(to, WireFormat::kOpus, encoder.mapped());
  for (auto& entry : pending_) {
    auto& waited = entry.second.station;
    if (waited && waited->station == from) waited->station = to;
  }
  for (WorkerProxy& worker : workers_) worker.relocate(from, to);
}

StationDirectory Conductor::directory() const {
  StationDirectory directory;
  for (const auto& [place, state] : stations_.all())
    directory.stations.push_back(
        {state->name, place, state->personal != 0, encoders_.count({place.index, place.generation}) != 0});
  directory.usual = stations_.usual();
  directory.free_places = stations_.free_places();
  directory.synthd_there = pump_.reader().segment().writer_alive();
  if (pump_.reader().ready()) directory.timeline = pump_.reader().timeline();
  directory.not_ready_reason = not_ready_reason();
  return directory;
}

void Conductor::publish_directory() {
  auto now = std::make_shared<const StationDirectory>(directory());
  if (*now == *directory_) return;
  directory_ = std::move(now);
  for (WorkerProxy& worker : workers_) worker.set_directory(directory_);
}

std::optional<std::string> Conductor::not_ready_reason() const {
  if (!pump_.has_timeline()) return "no audio yet: " + pump_.reader().describe();
  if (!pump_.flowing()) return "silence is being sent: synthd does not deliver";
  return std::nullopt;
}

StatusContext Conductor::status_context(const StationId& station) const {
  return {pump_.has_timeline() ? pump_.timeline() : Timeline{}, subscriptions_.listeners_of(station),
          context_.server_time()};
}

// Of thousands of stations, only as many at once as may hold up chunks.
void Conductor::send_changed_status() {
  const std::vector<StationId> places = subscriptions_.stations();
  telling_.run(clock_, kTellingNs, places.size(), [&](std::size_t i) { send_changed_status(places[i]); });
}

// What changed of a station goes to all its listeners; what they know, each was told when it came.
void Conductor::send_changed_status(const StationId& place) {
  const auto status = stations_.status(place);
  if (!status) return;
  const auto known = told_.find(status->station);
  if (known != told_.end() && known->second == *status) return;
  told_[status->station] = *status;
  // One text for all leaves the subprotocol out, which each knows since its first.
  const auto message = make_text_message(status_message(*status, status_context(place), {}));
  for (WorkerProxy& worker : workers_) worker.send_text_to_station(place, message);
}

}  // namespace auralis
