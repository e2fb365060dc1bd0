// SPDX-License-Identifier: MIT
#include "streamd/control/conductor.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "common/base/log.h"

namespace auralis {
namespace {

// Interval between looks for a restarted synthd, new stations and a changed status.
constexpr std::int64_t kRefreshNs = 100 * kNsPerMs;
constexpr std::int64_t kWaitingRefreshNs = 5 * kNsPerMs;  // while a listener waits for its station
constexpr std::int64_t kEncodingStepNs = 2 * kNsPerMs;    // while a listener waits for encoded chunks
// The time within a refresh to send changed statuses.
constexpr std::int64_t kStatusSliceNs = 2 * kNsPerMs;
// The longest time between two steps on a busy machine; a longer one is an absence of the process.
constexpr std::int64_t kMaxStepNs = 500 * kNsPerMs;
constexpr std::int64_t kBitsPerKbit = 1'000;

}  // namespace

Conductor::Conductor(WorkerContext& context, MetricsWriter& segment, StreamMetrics& metrics,
                     EncodingExecutor& encoding, SentMeter& meter)
    : context_(context),
      config_(context.config),
      clock_(context.clock),
      process_time_(clock_, kMaxStepNs),
      segment_(segment),
      metrics_(metrics),
      labels_(segment),
      pump_(config_.daemon_dir(Daemon::kSynthd), clock_, metrics, encoding, meter, prefill_chunks(),
            config_.streamd.opus_kbps * kBitsPerKbit),
      stations_(config_.daemon_dir(Daemon::kStreamd), pump_.reader(), clock_, process_time_),
      ledger_(clock_, metrics),
      subscriptions_([this](const Subscriptions::Listener& before, const Subscriptions::Listener& after) {
        ledger_.move({before.station, before.format}, {after.station, after.format});
      }),
      delivery_(pump_, subscriptions_, clock_,
                [this](std::size_t worker, Delivery delivery) {
                  workers_.at(worker).deliver(std::move(delivery));
                }),
      wakeups_(metrics.wakeup_ms) {
  last_step_ns_.store(clock_.now_ns(), std::memory_order_relaxed);
}

// The default is more than a short ring holds.
std::int64_t Conductor::prefill_chunks() const {
  return std::min(config_.streamd.prefill_ms, config_.audio.past_ms()) / config_.audio.chunk_ms;
}

// As much of the lead that a listener asked for as the ring holds at its lowest: the turn of a chunk begins
// two chunks before it plays, and synthd writes a chunk at a time.
std::int64_t Conductor::lead_chunks(WireFormat format, std::int64_t lead_ms) const {
  if (is_plain_http(format) || !has_audio(format)) return 0;
  const std::int64_t spare_ms = config_.audio.target_depth_ms - config_.audio.chunk_ms * 5 / 2;
  return std::max<std::int64_t>(0, std::min(lead_ms, spare_ms)) / config_.audio.chunk_ms;
}

void Conductor::conduct(std::vector<WorkerProxy> workers, std::function<void()> step_soon) {
  workers_ = std::move(workers);
  step_soon_ = std::move(step_soon);
}

std::int64_t Conductor::step() {
  assert(checker_.is_current());
  assert(!workers_.empty() && step_soon_);  // conduct() was called
  process_time_.step();
  wakeups_.begin_step(clock_.now_ns());
  const std::int64_t next_ns = work();
  wakeups_.end_step(next_ns);
  return next_ns;
}

std::int64_t Conductor::work() {
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
    ledger_.count_seconds();
    stations_.close_idle(
        [this](const StationId& station) { return subscriptions_.connections_to(station) > 0; });
  }
  std::int64_t next_ns = std::min(delivery_.step(), next_refresh_ns_);
  log_sampled_turn();
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
    for (WorkerProxy& worker : workers_) worker.send_text_to_station(change.id, message);
  }
  release_encoders();
  publish_directory();
  send_changed_status();
  log_holes();
}

// One line for all personal stations, whose names grant access to them.
void Conductor::log_holes() {
  std::optional<Hole> of_personal;
  std::size_t personal_listeners = 0;
  for (const ChunkPump::StationHole& one : pump_.take_holes()) {
    const std::size_t listeners = one.hole.cause == HoleCause::kEncoding
                                      ? subscriptions_.opus_listeners_of(one.station)
                                      : subscriptions_.listeners_of(one.station);
    if (!one.personal) {
      log_hole(one.name, one.hole, listeners);
    } else {
      of_personal = one.hole;
      personal_listeners += listeners;
    }
  }
  if (personal_listeners > 0) log_hole(std::string(kPersonalLabel), *of_personal, personal_listeners);
}

void Conductor::log_hole(const std::string& station, const Hole& hole, std::size_t listeners) const {
  const std::string cause(hole_cause_name(hole.cause));
  const auto hit = static_cast<std::int64_t>(listeners);
  if (!hole.over) {
    log_warning("audio is missing",
                {{"station", station}, {"cause", cause}, {"first", hole.first}, {"listeners", hit}});
  } else {
    log_warning("audio was missing", {{"station", station},
                                      {"cause", cause},
                                      {"first", hole.first},
                                      {"chunks", hole.missing},
                                      {"ms", hole.missing * pump_.timeline().chunk_ns() / kNsPerMs},
                                      {"listeners", hit}});
  }
}

// One chunk of ten: each would be ten lines a second and station.
void Conductor::log_sampled_turn() {
  constexpr std::int64_t kSampling = 10;
  const auto turn = pump_.turn();
  if (!logs(LogLevel::kDebug) || !turn || *turn % kSampling != 0 || turn == sampled_turn_) return;
  sampled_turn_ = turn;
  for (const StationId& station : stations_.configured()) {
    log_debug("chunk streamed",
              {{"station", stations_.find(station)->name},
               {"chunk", *turn},
               {"buffer_depth_ms", pump_.depth_ms(station)},
               {"active_connections", static_cast<std::int64_t>(subscriptions_.listeners_of(station))}});
  }
}

// A WAV stream cannot change its sample rate: its listeners have to reconnect.
void Conductor::close_streams_of_other_rate() {
  if (!pump_.has_timeline()) return;
  const std::uint32_t rate = pump_.timeline().sample_rate;
  const std::uint32_t before = std::exchange(sample_rate_, rate);
  if (before == 0 || before == rate) return;
  for (WorkerProxy& worker : workers_)
    worker.close_format(WireFormat::kWav, close_code::kStationGone, "the sample rate changed");
}

void Conductor::apply(const StationTable::Changes& changes) {
  std::vector<std::string_view> names;
  for (const StationId& station : stations_.configured()) names.emplace_back(stations_.find(station)->name);
  labels_.keep(names, [this](std::size_t label) { ledger_.release_group(label); });
  for (const StationId& station : changes.came) add_station(station);
  for (const auto& gone : changes.gone) {
    delivery_.drop_owed(gone.id);
    pump_.remove(gone.id);
    sent_status_.erase(gone.name);
    relocate(gone);
    ledger_.remove_station(gone.id);
  }
  // Listeners that named no station, and came before there was one.
  if (const auto station = stations_.default_station()) move({}, *station);
  metrics_.station_capacity.set(static_cast<double>(stations_.capacity()));
  metrics_.configured_stations.set(static_cast<double>(names.size()));
  metrics_.personal_stations.set(static_cast<double>(stations_.personal()));
}

// Of more configured stations than there are labels, the last ones are counted as personal ones.
void Conductor::add_station(const StationId& station) {
  const StationState& state = *stations_.find(station);
  const bool personal = state.personal != 0;
  const auto label = personal ? std::nullopt : labels_.label_of(state.name);
  ledger_.set_group(station, label.value_or(kPersonalGroup));
  pump_.add(station, state.name, !personal, label ? metrics_.configured.at(*label) : metrics_.personal);
}

std::optional<StationId> Conductor::open_personal(const Permalink& link, SharedPermit permit) {
  const auto station = stations_.open(link, std::move(permit));
  if (station) ledger_.set_group(*station, kPersonalGroup);
  return station;
}

// A synthd that restarted from nothing has its stations under other ids.
void Conductor::relocate(const StationTable::Gone& gone) {
  if (const auto station = stations_.find(gone.name)) {
    stations_.keep(*station, gone.permit);
    return move(gone.id, *station);
  }
  if (const auto other = gone.link ? open_personal(*gone.link, gone.permit) : std::nullopt)
    return move(gone.id, *other);
  const auto waits = [&](const PendingListener& pending) {
    return pending.station && pending.station->station == gone.id;
  };
  for (const ConnectionId id : pending_ids(waits)) {
    const PendingStation station = *extract_station(id);
    reject(id);
    refuse_changes(id, station);
  }
  if (gone.name.empty()) return;
  for (WorkerProxy& worker : workers_)
    worker.close_station(gone.id, close_code::kStationGone, "the station has ended");
}

// The listener's station cannot be started.
void Conductor::reject(ConnectionId id) {
  const auto* const listener = subscriptions_.find(id);
  if (listener == nullptr) return;
  if (listener->delivered_to)
    return refuse(id, {"no_place", "The station could not be started; try again later.", "subscribe"});
  worker_of(*listener).close(id, close_code::kTryAgainLater, "the station could not be started");
}

void Conductor::move(const StationId& from, const StationId& to) {
  subscriptions_.move(from, to);
  delivery_.move(from, to);
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
  for (const auto& [station, state] : stations_.all())
    directory.stations.push_back({state->name, station, state->personal != 0,
                                  encoders_.count({station.index, station.generation}) != 0});
  directory.default_station = stations_.default_station();
  directory.free_capacity = stations_.free_capacity();
  directory.synthd_runs = pump_.reader().segment().writer_alive();
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
  if (!pump_.flowing()) return "sending silence: synthd renders no audio";
  return std::nullopt;
}

StatusContext Conductor::status_context(const StationId& station) const {
  return {pump_.has_timeline() ? pump_.timeline() : Timeline{}, subscriptions_.listeners_of(station),
          context_.server_time()};
}

// Bounded in time: with thousands of stations, checking all of them at once would delay chunks.
void Conductor::send_changed_status() {
  const std::vector<StationId> stations = subscriptions_.stations();
  status_slice_.run(clock_, kStatusSliceNs, stations.size(),
                    [&](std::size_t i) { send_changed_status(stations[i]); });
}

// Sends a changed status to all listeners of a station. Each was sent the full status when it began.
void Conductor::send_changed_status(const StationId& station) {
  const auto status = stations_.status(station);
  if (!status) return;
  const auto known = sent_status_.find(status->station);
  if (known != sent_status_.end() && known->second == *status) return;
  sent_status_[status->station] = *status;
  // One message for all: without the subprotocol, which the first status told.
  const auto message = make_text_message(status_message(*status, status_context(station), {}));
  for (WorkerProxy& worker : workers_) worker.send_text_to_station(station, message);
}

}  // namespace auralis
