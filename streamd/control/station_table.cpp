// SPDX-License-Identifier: MIT
#include "streamd/control/station_table.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdio>
#include <random>
#include <utility>

#include "common/base/log.h"
#include "streamd/control/station_directory.h"

namespace auralis {
namespace {

// An unguessable capability name: knowing it grants access.
std::string personal_name() {
  std::random_device random;
  std::array<char, kStationNameBytes> name{};
  std::snprintf(name.data(), name.size(), "p%08x%08x", random(), random());
  return name.data();
}

}  // namespace

StationTable::StationTable(const std::filesystem::path& streamd_directory, const AudioReader& reader,
                           const Clock& clock, const Clock& process_time)
    : writer_(streamd_directory, clock.now_ns()),
      reader_(reader),
      clock_(clock),
      process_time_(process_time) {}

StationTable::Changes StationTable::refresh(bool other_table) {
  assert(checker_.is_current());
  Changes changes;
  // While synthd is not running its stations stay as they were; it will continue them.
  const bool changed = reader_.ready() && (other_table || reader_.table_version() != table_version_);
  if (changed && (other_table || !table_overwritten())) {
    table_version_ = reader_.table_version();
    read_table(changes);
  }
  note_requests();
  take_back(changes);
  for (auto waiting = pending_.begin(); waiting != pending_.end();) {
    if (process_time_.now_ns() - waiting->second.asked_ns < kOpenTimeoutNs) {
      ++waiting;
      continue;
    }
    const StationId id{waiting->first, waiting->second.generation};
    log_warning("personal station did not start: synthd does not answer",
                {{"index", static_cast<std::int64_t>(id.index)}});
    waiting = pending_.erase(waiting);
    close(id);  // in case it still comes
    changes.gone.push_back({id, {}, {}, {}});
  }
  return changes;
}

// synthd writes a request into the table before it renders the chunks that follow from it.
bool StationTable::in_force(const StationState& state, std::int64_t newest) const {
  return changes_after(state.history, state.own_chunk(newest)) == 0;
}

void StationTable::note_requests() {
  if (!reader_.ready()) return;
  for (auto& [index, station] : stations_) {
    const auto newest = reader_.newest({index, station.generation});
    if (newest && in_force(station.state, *newest)) station.request_in_force = station.state.applied_request;
  }
}

// Whether another process overwrote the table. Its writer repairs it within a second; until then no station
// counts as gone.
bool StationTable::table_overwritten() const {
  constexpr std::uint64_t kMostSteps =
      1'000'000;  // of a generation between two reads; each step is a station that came or went
  const auto impossible = [this](std::size_t index, std::uint64_t before) {
    const std::uint64_t now = reader_.generation(index);
    return now < before || now - before > kMostSteps;
  };
  for (const auto& [index, station] : stations_) {
    if (impossible(index, station.generation)) return true;
    if (reader_.generation(index) == station.generation && !reader_.state({index, station.generation}))
      return true;
  }
  // A requested station has the generation that follows its row's.
  return std::any_of(pending_.begin(), pending_.end(),
                     [&](const auto& entry) { return impossible(entry.first, entry.second.generation - 1); });
}

void StationTable::read_table(Changes& changes) {
  std::map<std::size_t, TableEntry> now;
  for (std::size_t index = 0; index < reader_.capacity(); ++index) {
    const StationId id{index, reader_.generation(index)};
    const auto state = id.generation % 2 != 0 ? reader_.state(id) : std::nullopt;
    SharedPermit permit;
    const auto waiting = pending_.find(index);
    if (waiting != pending_.end() && id.generation >= waiting->second.generation) {
      // It came; or another station has, or had, its row.
      permit = std::move(waiting->second.permit);
      if (!state || state->name != waiting->second.name) {
        changes.gone.push_back(
            {{index, waiting->second.generation}, {}, waiting->second.link, std::exchange(permit, nullptr)});
      }
      pending_.erase(waiting);
    }
    if (!state) continue;
    const auto before = stations_.find(index);
    const bool same = before != stations_.end() && before->second.generation == id.generation;
    if (same) permit = std::exchange(before->second.permit, nullptr);
    now[index] = {id.generation, *state, same ? before->second.idle_since_ns : process_time_.now_ns(),
                  same ? before->second.request_in_force : state->applied_request, std::move(permit)};
    if (!same) changes.came.push_back(id);
  }
  for (const auto& [index, station] : stations_) {
    const auto after = now.find(index);
    if (after != now.end() && after->second.generation == station.generation) continue;
    changes.gone.push_back({{index, station.generation}, station.state.name, {}, station.permit});
  }
  stations_ = std::move(now);
}

// Overwrites the request that synthd might still find in the control segment with one that changes nothing.
void StationTable::take_back(Changes& changes) {
  const bool works = reader_.segment().writer_healthy(clock_.now_ns());
  const auto state_of = [this](const StationId& id) { return find(id); };
  for (const auto& change : accepted_.extract_void(state_of, works, process_time_.now_ns())) {
    const auto id = find(change.station);
    if (!id) continue;  // it has no listeners
    const MusicParameters& goes_on = auralis::target(find(*id)->history);
    log_warning("accepted change taken back: synthd did not apply it",
                {{"station", change.station}, {"request", static_cast<std::int64_t>(change.request)}});
    if (*id == change.id) request_parameters(*id, goes_on);
    changes.taken_back.push_back({*id, change.request, goes_on});
  }
}

const StationState* StationTable::find(const StationId& id) const {
  const auto found = stations_.find(id.index);
  const bool there = found != stations_.end() && found->second.generation == id.generation;
  return there ? &found->second.state : nullptr;
}

std::optional<StationId> StationTable::find(std::string_view name) const {
  for (const auto& [index, station] : stations_) {
    if (name == station.state.name) return StationId{index, station.generation};
  }
  return std::nullopt;
}

std::optional<StationId> StationTable::default_station() const {
  assert(checker_.is_current());
  std::optional<StationId> first;
  for (const auto& [index, station] : stations_) {
    if (station.state.personal != 0) continue;
    if (kDefaultStation == station.state.name) return StationId{index, station.generation};
    if (!first) first = StationId{index, station.generation};
  }
  return first;
}

std::vector<StationId> StationTable::configured() const {
  assert(checker_.is_current());
  std::vector<StationId> stations;
  for (const auto& [index, station] : stations_) {
    if (station.state.personal == 0) stations.push_back({index, station.generation});
  }
  return stations;
}

std::vector<std::pair<StationId, const StationState*>> StationTable::all() const {
  assert(checker_.is_current());
  std::vector<std::pair<StationId, const StationState*>> all;
  for (const auto& [index, station] : stations_) all.push_back({{index, station.generation}, &station.state});
  return all;
}

std::size_t StationTable::personal() const { return stations_.size() - configured().size(); }

std::size_t StationTable::free_capacity() const {
  assert(checker_.is_current());
  const std::size_t taken = stations_.size() + pending_.size();
  return reader_.segment().writer_alive() && capacity() > taken ? capacity() - taken : 0;
}

std::optional<StationId> StationTable::open(const Permalink& link, SharedPermit permit) {
  assert(checker_.is_current());
  if (free_capacity() == 0) return std::nullopt;
  // A row whose state cannot be read may hold a station.
  const auto taken = [this](std::size_t index) {
    return stations_.count(index) != 0 || pending_.count(index) != 0 || reader_.generation(index) % 2 != 0;
  };
  std::size_t index = 0;
  while (index < capacity() && taken(index)) ++index;
  if (index == capacity()) return std::nullopt;
  const StationId id{index, reader_.generation(index) + 1};
  ControlRequest request;
  request.action = ControlAction::kOpen;
  const std::string name = personal_name();
  name.copy(request.station, kStationNameBytes - 1);
  // 32 bits, so that every client can represent it exactly.
  request.seed = link.seed ? *link.seed : std::random_device()();
  request.chunk = link.chunk;
  request.history = shortened(link.history, reader_.timeline(), link.chunk);
  store(id, request);
  pending_[index] = {id.generation, process_time_.now_ns(), name, link, std::move(permit)};
  return id;
}

void StationTable::keep(const StationId& id, SharedPermit permit) {
  assert(checker_.is_current());
  const auto found = stations_.find(id.index);
  if (found != stations_.end() && found->second.generation == id.generation && !found->second.permit)
    found->second.permit = std::move(permit);
}

void StationTable::end(const StationId& id) {
  assert(checker_.is_current());
  const StationState* const state = find(id);
  if (state != nullptr && state->personal != 0) close(id);
}

bool StationTable::is_personal(const StationId& id) const {
  assert(checker_.is_current());
  if (const StationState* const state = find(id)) return state->personal != 0;
  const auto waiting = pending_.find(id.index);
  return waiting != pending_.end() && waiting->second.generation == id.generation;
}

void StationTable::close(const StationId& id) {
  ControlRequest request;
  request.action = ControlAction::kClose;
  request.history.count = 1;
  store(id, request);
}

// Numbered above what either side has seen, so that the request counts even if one of the segments was lost.
void StationTable::store(const StationId& id, ControlRequest request) {
  const auto before = writer_.request(id.index);
  const StationState* const state = find(id);
  request.number = std::max(before ? before->number : 0, state != nullptr ? state->applied_request : 0) + 1;
  request.generation = id.generation;
  writer_.store(id.index, request);
}

std::optional<Accepted> StationTable::change(const StationId& id, const ParameterPatch& patch) {
  assert(checker_.is_current());
  const auto base = target(id);
  if (!base) return std::nullopt;
  return request(id, patch.applied_to(*base));
}

std::optional<Accepted> StationTable::choose(const StationId& id, const Preset& preset) {
  return request(id, preset.parameters);
}

// The parameters last requested: of a request that synthd has not applied yet, else of synthd's state.
std::optional<MusicParameters> StationTable::target(const StationId& id) const {
  const auto state = reader_.state(id);
  if (!state) return std::nullopt;
  const auto pending = writer_.request(id.index);
  const bool waits = pending && pending->number > state->applied_request &&
                     pending->generation == id.generation && pending->action == ControlAction::kChange;
  return waits ? pending->history.changes[0].parameters : auralis::target(state->history);
}

void StationTable::request_parameters(const StationId& id, const MusicParameters& parameters) {
  ControlRequest request;
  request.history.count = 1;
  request.history.changes[0].parameters = parameters;
  store(id, request);
}

std::optional<Accepted> StationTable::request(const StationId& id, const MusicParameters& parameters) {
  const StationState* const state = find(id);
  if (state == nullptr || !reader_.segment().writer_alive()) return std::nullopt;
  request_parameters(id, parameters);
  const std::uint64_t number = writer_.request(id.index)->number;
  accepted_.add({id, state->name, number}, process_time_.now_ns());
  return Accepted{number, parameters};
}

std::int64_t StationTable::live_chunk(const StationState& state) const {
  return std::max<std::int64_t>(0, state.own_chunk(reader_.timeline().chunk_at(clock_.now_ns())));
}

std::optional<StationStatus> StationTable::status(const StationId& id) const {
  assert(checker_.is_current());
  const StationState* const state = find(id);
  const auto newest = reader_.newest(id);
  if (state == nullptr || !newest) return std::nullopt;
  const Timeline& timeline = reader_.timeline();
  const std::int64_t chunk = state->own_chunk(*newest);
  const Bars bars = bars_before(state->history, timeline, composed_until(timeline, chunk));
  StationStatus status;
  status.station = state->name;
  status.personal = state->personal != 0;
  status.open = state->open != 0;
  status.seed = state->seed;
  status.in_force = *levels_in(state->history, chunk).end;
  if (bars.count > 0) {
    const BarRecord& bar = *(bars.end() - 1);
    status.in_force.key = bar.parameters.key;
    status.in_force.mode = bar.parameters.mode;
    status.in_force.bpm = bar.parameters.bpm;
    status.bar = bar.index;
  }
  status.target = auralis::target(state->history);
  status.request =
      in_force(*state, *newest) ? state->applied_request : stations_.at(id.index).request_in_force;
  status.sample_index = timeline.first_frame(live_chunk(*state));
  return status;
}

std::string StationTable::permalink(const StationId& id) const {
  assert(checker_.is_current());
  const StationState* const state = find(id);
  if (state == nullptr) return {};
  return to_query(state->seed, state->history, reader_.timeline(), live_chunk(*state));
}

}  // namespace auralis
