// SPDX-License-Identifier: MIT
#include "synthd/stations.h"

#include <algorithm>
#include <cassert>
#include <string>

#include "common/base/clock.h"

namespace auralis {
namespace {

// How much of the past a new station renders; streamd sends part of it to a new listener at once.
constexpr std::int64_t kLeadInNs = 300 * kNsPerMs;

}  // namespace

std::pair<std::string_view, LogValue> log_field(std::size_t index, const StationState& state) {
  if (state.personal != 0) return {"index", static_cast<std::int64_t>(index)};
  return {"station", std::string(state.name)};
}

Stations::Stations(const StationParts& parts)
    : parts_(parts), labels_(parts.metrics_writer), stations_(parts.audio.capacity()) {}

void Stations::restore(std::int64_t now_ns) {
  assert(thread_.is_current());
  if (!parts_.audio.taken_over()) return;
  // For a station without chunks: its synthd ended before it rendered any.
  const std::int64_t live = std::max<std::int64_t>(-1, timeline().chunk_at(now_ns));
  for (std::size_t index = 0; index < stations_.size(); ++index) {
    const auto state = parts_.audio.state(index);
    if (!state) continue;
    place(index, *state, parts_.audio.newest(index).value_or(live));
    log_info("continuing a former synthd's station",
             {log_field(index, *state), {"chunk", at(index).newest + 1}});
  }
}

void Stations::apply(const std::vector<StationConfig>& configured, std::int64_t now_ns) {
  assert(thread_.is_current());
  std::vector<std::string_view> names;
  for (const StationConfig& station : configured) {
    const auto index = index_of(station.name);
    // A different seed is different music.
    if (index && at(*index).state.seed == station.seed) names.emplace_back(station.name);
  }
  remove_all_but(names);
  labels_.keep(names);
  wants_index_ = false;
  for (const StationConfig& station : configured) add_or_update(station, now_ns);
}

void Stations::remove_all_but(const std::vector<std::string_view>& names) {
  for (std::size_t index = 0; index < stations_.size(); ++index) {
    if (!contains(index) || at(index).state.personal != 0) continue;
    if (std::find(names.begin(), names.end(), at(index).state.name) == names.end()) remove(index);
  }
}

void Stations::add_or_update(const StationConfig& station, std::int64_t now_ns) {
  const std::uint32_t open = station.open ? 1 : 0;
  if (const auto index = index_of(station.name)) {
    StationState& state = at(*index).state;
    if (std::exchange(state.open, open) != open) parts_.audio.store_state(*index, state);
    return;
  }
  StationState state = named_state(station.name);
  state.seed = station.seed;
  state.open = open;
  state.history = begun_with(station.parameters);
  if (const auto index = free_index()) {
    add(*index, state, 0, now_ns);
    return;
  }
  wants_index_ = true;
  log_error("configured station waits: personal stations use the whole capacity; it starts when one ends",
            {{"station", station.name}, {"capacity", static_cast<std::int64_t>(capacity())}});
}

std::optional<std::size_t> Stations::index_of(std::string_view configured_name) const {
  for (std::size_t index = 0; index < stations_.size(); ++index) {
    if (!contains(index)) continue;
    const StationState& state = at(index).state;
    if (state.personal == 0 && configured_name == state.name) return index;
  }
  return std::nullopt;
}

std::optional<std::size_t> Stations::free_index() const {
  for (std::size_t index = 0; index < stations_.size(); ++index) {
    if (!contains(index)) return index;
  }
  return std::nullopt;
}

void Stations::add(std::size_t index, StationState state, std::int64_t own_chunk, std::int64_t now_ns) {
  assert(thread_.is_current());
  assert(!contains(index));
  const std::int64_t begin = lead_in_begin(now_ns);
  state.origin_chunk = begin - own_chunk;
  parts_.audio.open(index, state);
  place_in_past(index, state, now_ns);
  log_info("station plays", {log_field(index, state),
                             {"personal", state.personal != 0},
                             {"seed", std::to_string(state.seed)},
                             {"chunk", begin}});
}

void Stations::remove(std::size_t index) {
  assert(thread_.is_current());
  log_info("station ends", {log_field(index, at(index).state)});
  stations_[index].reset();
  parts_.audio.close(index);
}

void Stations::rewind(std::int64_t now_ns) {
  assert(thread_.is_current());
  for (std::size_t index = 0; index < stations_.size(); ++index) {
    if (contains(index)) place_in_past(index, StationState(at(index).state), now_ns);
  }
}

bool Stations::holds(std::size_t index, std::uint64_t generation) const {
  return contains(index) && parts_.audio.generation(index) == generation;
}

// The first chunk that fills an empty ring.
std::int64_t Stations::lead_in_begin(std::int64_t now_ns) const {
  return std::max<std::int64_t>(0, timeline().chunk_at(now_ns) - kLeadInNs / timeline().chunk_ns());
}

void Stations::place(std::size_t index, const StationState& state, std::int64_t newest) {
  SynthMetrics::StationMetrics* metrics = &parts_.metrics.personal;
  if (state.personal == 0) {
    if (const auto label = labels_.label_of(state.name)) metrics = &parts_.metrics.configured.at(*label);
  }
  stations_[index].emplace(
      StationSlot{state, Station(state.seed, timeline(), state.history), newest, newest, metrics});
  parts_.engine.forget(index);
}

void Stations::place_in_past(std::size_t index, const StationState& state, std::int64_t now_ns) {
  place(index, state, lead_in_begin(now_ns) - 1);
  at(index).lead_in = timeline().chunk_at(now_ns);
}

}  // namespace auralis
